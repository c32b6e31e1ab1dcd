"""Words of the simulated district: invented news of a Youth Union, without any person and marked as made up."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

MADE_UP = "Dữ liệu minh họa."
CATEGORY_OF_NEWS = "Tin tốt"
CATEGORY_OF_STORIES = "Câu chuyện đẹp"
ORDINARY_CATEGORIES = ("Tin hoạt động", "Thông báo", "Tình nguyện", "Học tập và làm theo Bác")

GOOD_NEWS = (
    "Công trình thanh niên “{what}” được bàn giao tại {where}",
    "{who} dọn sạch điểm đen rác thải ở {where}",
    "{who} hỗ trợ người dân làm dịch vụ công trực tuyến tại {where}",
    "Trao {count} suất học bổng cho học sinh vượt khó ở {where}",
    "{who} sửa {count} cây cầu nhỏ ở {where}",
    "Hiến {count} đơn vị máu trong ngày hội tại {where}",
    "Trồng thêm {count} cây xanh dọc {where}",
    "Tuyến hẻm ở {where} có thêm {count} bóng đèn do đoàn viên góp công",
    "Tủ sách cộng đồng ở {where} nhận {count} quyển sách mới",
    "Lớp học tình thương ở {where} khai giảng với {count} em",
)
STORIES = (
    "Nhóm đoàn viên giữ bếp cơm không đồng ở {where}",
    "Chuyến xe đón người già đi khám bệnh của {who}",
    "Chiếc ví được trả lại và bài học về lòng trung thực ở {where}",
    "{who} bền bỉ dạy bơi cho trẻ em suốt {count} tuần",
    "Góc sửa xe giúp học sinh nghèo của {who}",
    "Những giọt máu hiếm đến kịp lúc nhờ {who}",
    "Ngôi nhà được sơn lại sau mưa bão ở {where}",
)
ORDINARY = (
    "{who} sinh hoạt chuyên đề quý tại {where}",
    "Ra quân Ngày Chủ nhật xanh ở {where}",
    "Hội thi tìm hiểu lịch sử Đoàn thu hút {count} lượt tham gia",
    "Giải bóng đá thanh niên khởi tranh tại {where}",
    "Tập huấn kỹ năng truyền thông cho {count} cán bộ Đoàn",
    "{who} tham gia giữ gìn trật tự giờ cao điểm ở {where}",
    "Tuyên truyền an toàn giao thông tại {where}",
    "Hưởng ứng tuần lễ áo dài, {who} ghi lại những khung hình đẹp",
    "Ngày hội việc làm tại {where} giới thiệu {count} vị trí",
    "Thông báo lịch hoạt động tuần của {who}",
)
AT_SCHOOL = (
    "Câu lạc bộ kỹ năng của {who} tuyển thành viên mới",
    "Hội trại truyền thống tại {where} có {count} tiết mục",
    "Ôn tập cùng nhau trước kỳ kiểm tra ở {where}",
    "Thông tin tốt nghiệp và hướng nghiệp cho học sinh cuối cấp",
    "Cuộc thi sáng tạo trẻ nhận {count} sản phẩm của học sinh",
)
AT_WORK = (
    "{who} đề xuất {count} sáng kiến cải tiến",
    "Ca làm việc không giấy tờ của {who}",
    "Công đoàn và {who} tổ chức hội thao tại {where}",
)
FESTIVE = {
    (1, 9): "Kỷ niệm Ngày truyền thống học sinh, sinh viên",
    (2, 3): "Chào mừng ngày thành lập Đảng",
    (3, 26): "Chào mừng ngày thành lập Đoàn 26/3",
    (4, 30): "Hướng về ngày 30/4",
    (5, 15): "Chào mừng ngày thành lập Đội 15/5",
    (5, 19): "Kỷ niệm ngày sinh Chủ tịch Hồ Chí Minh 19/5",
    (6, 1): "Vui Tết thiếu nhi 1/6",
    (7, 27): "Tri ân ngày 27/7",
    (8, 19): "Nhớ ngày 19/8",
    (9, 2): "Mừng Quốc khánh 2/9",
    (10, 15): "Ngày truyền thống Hội 15/10",
    (11, 20): "Tri ân thầy cô 20/11",
    (12, 22): "Chào mừng ngày 22/12",
}
WHAT = ("Sân chơi cho em", "Bức tường hoa", "Nhà vệ sinh học đường", "Tuyến đường sáng", "Vườn thuốc nam")
WHERE = ("khu phố 3", "bến sông", "công viên trung tâm", "chợ cũ", "nhà văn hóa", "khu nhà trọ", "trường tiểu học")
WHO = ("đội hình tình nguyện", "chi đoàn khu phố", "câu lạc bộ xung kích", "tổ công nghệ số", "nhóm thanh niên")
CLOSING = (
    "Hoạt động nhận được sự đồng tình của người dân.",
    "Chương trình tiếp tục được duy trì trong tháng tới.",
    "Đây là phần việc thiết thực của tuổi trẻ địa phương.",
    "Kinh phí do các đơn vị đồng hành đóng góp.",
)
NEWS_MARKS = ("#MỗiNgàyMộtTinTốt", "#moingay1tintot", "Mỗi ngày một tin tốt", "MỖI NGÀY 1 TIN TỐT")
STORY_MARKS = ("#MỗiTuầnMộtCâuChuyệnĐẹp", "#moituan1cauchuyendep", "Mỗi tuần một câu chuyện đẹp", "Câu chuyện đẹp")
SUBJECTS = {"truong-hoc": AT_SCHOOL, "doanh-nghiep": AT_WORK, "co-quan": AT_WORK}


@dataclass(frozen=True, slots=True)
class Words:
    """What an item says. The category is how a website files it."""

    title: str
    text: str
    category: str


def words(random: Random, unit_kind: str, label: str, day: tuple[int, int], *, titles_only: bool) -> Words:
    """Words for one item: *label* is `tin-tot`, `cau-chuyen-dep` or nothing; *day* is (month, day).

    With *titles_only* the label stands in the title, because that is all a reader of such a site gets.
    """
    title = _title(random, unit_kind, label)
    if day in FESTIVE and not label:
        title = f"{FESTIVE[day]}: {title[0].lower()}{title[1:]}"
    text = f"{title}. {random.choice(CLOSING)} {MADE_UP}"
    if not label:
        return Words(title, text, random.choice(ORDINARY_CATEGORIES))
    return _labelled(random, title, text, label, titles_only=titles_only)


def _title(random: Random, unit_kind: str, label: str) -> str:
    if label == "tin-tot":
        pool: tuple[str, ...] = GOOD_NEWS
    elif label:
        pool = STORIES
    else:
        pool = ORDINARY + SUBJECTS.get(unit_kind, ())
    title = random.choice(pool).format(
        what=random.choice(WHAT), where=random.choice(WHERE), who=random.choice(WHO), count=random.randrange(2, 90)
    )
    return title[0].upper() + title[1:]


def _labelled(random: Random, title: str, text: str, label: str, *, titles_only: bool) -> Words:
    """The label as teams write it: a hashtag, or the motto with or without its marks."""
    news = label == "tin-tot"
    category = CATEGORY_OF_NEWS if news else CATEGORY_OF_STORIES
    mark = random.choice(NEWS_MARKS if news else STORY_MARKS)
    if titles_only:
        return Words(f"{category}: {title}", text, category)
    return Words(title, f"{text} {mark}", category) if mark[0] == "#" else Words(f"{mark}: {title}", text, category)
