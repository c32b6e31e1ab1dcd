"""Words of the simulated district: invented news of a Youth Union, without any person and marked as made up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from pipeline.demo.calendar import is_festive
from pipeline.demo.seasons import is_tet, seasonal_titles

MADE_UP = "Dữ liệu minh họa."
CATEGORY_OF_NEWS = "Tin tốt"
CATEGORY_OF_STORIES = "Câu chuyện đẹp"
ORDINARY_CATEGORIES = ("Tin hoạt động", "Thông báo", "Tình nguyện", "Học tập và làm theo Bác")

AROUND_HOME_NEWS = (
    "Công trình thanh niên “Sân chơi cho em” được bàn giao ở {place}",
    "Bức tường hoa do {who} vẽ làm đẹp {place}",
    "{who} dọn sạch điểm đen rác thải ở {place}",
    "{who} hướng dẫn người dân {place} làm dịch vụ công trực tuyến",
    "Trao {some} suất học bổng cho học sinh vượt khó ở {place}",
    "{who} hiến {some} đơn vị máu trong ngày hội giọt hồng",
    "{who} sửa {few} nhịp cầu nhỏ bắc qua rạch",
    "Bờ kênh có thêm {some} cây xanh do {who} trồng",
    "{place} có thêm {few} bóng đèn do đoàn viên góp công",
    "Tủ sách cộng đồng ở {place} nhận {some} quyển sách mới",
    "Lớp học tình thương ở {place} khai giảng với {some} em",
)
SCHOOL_NEWS = (
    "{who} góp {some} quyển sách cho thư viện trường",
    "{who} trao {some} suất học bổng cho bạn vượt khó",
    "Góc đọc xanh do {who} dựng ở {place} mở cửa",
    "{who} thu gom {some} ki-lô-gam giấy cũ gây quỹ giúp bạn",
    "{who} trồng {some} chậu cây làm mát {place}",
    "Nhóm học sinh nhặt được của rơi ở {place} đã trả lại người mất",
    "{who} ôn bài giúp {few} bạn theo kịp lớp",
)
WORK_NEWS = (
    "{who} đề xuất {few} sáng kiến giúp công việc nhanh hơn",
    "{who} hiến {some} đơn vị máu trong ngày hội giọt hồng",
    "{who} tặng {some} áo ấm cho con em công nhân vùng xa",
    "{who} giúp {some} người dân nộp hồ sơ trực tuyến",
    "{who} trồng {some} chậu cây quanh {place}",
    "{who} trao {few} suất học bổng cho con đồng nghiệp khó khăn",
)
AROUND_HOME_STORIES = (
    "{who} giữ bếp cơm không đồng ở {place}",
    "Chuyến xe đón người già đi khám bệnh của {who}",
    "Chiếc ví được trả lại và bài học về lòng trung thực ở {place}",
    "Góc sửa xe miễn phí cho học sinh nghèo của {who}",
    "Những giọt máu hiếm đến kịp lúc nhờ {who}",
    "Ngôi nhà được {who} sơn lại sau mưa bão ở {place}",
)
SCHOOL_STORIES = (
    "Đôi bạn cùng tiến của {who} giúp nhau qua kỳ thi khó",
    "Chiếc ví được trả lại ở {place}",
    "Hộp bút chia đôi và tình bạn ở {place}",
    "{who} đưa bạn bị đau chân đến lớp suốt {few} tuần",
)
WORK_STORIES = (
    "{who} đổi ca để đồng nghiệp kịp về chăm mẹ ốm",
    "Những giọt máu hiếm đến kịp lúc nhờ {who}",
    "Bữa cơm chung ở {place} giúp người mới bớt nhớ nhà",
    "{who} góp tiền mua xe đạp cho {few} em nhỏ vượt khó",
)
ORDINARY = (
    "{who} sinh hoạt chuyên đề quý",
    "Ngày Chủ nhật xanh của {who}",
    "Hội thi tìm hiểu lịch sử Đoàn có {some} lượt dự thi của {who}",
    "{who} tập huấn kỹ năng truyền thông",
    "{who} tuyên truyền an toàn giao thông",
    "Thông báo lịch hoạt động tuần của {who}",
)
AROUND_HOME = (
    "Giải bóng đá thanh niên khởi tranh với {few} đội",
    "{who} giữ gìn trật tự giờ cao điểm trước cổng trường",
    "Ngày hội việc làm thanh niên giới thiệu {some} vị trí",
    "{who} tuyên truyền phòng cháy ở {place}",
)
AT_SCHOOL = (
    "Câu lạc bộ kỹ năng tuyển thành viên mới",
    "Buổi văn nghệ ở {place} có {few} tiết mục của {who}",
    "{who} ôn tập cùng nhau trước kỳ kiểm tra",
    "Thông tin tốt nghiệp và hướng nghiệp cho học sinh cuối cấp",
    "Cuộc thi sáng tạo trẻ nhận {few} sản phẩm của {who}",
)
AT_WORK = (
    "{who} thực hiện ngày làm việc không giấy tờ",
    "Công đoàn và {who} tổ chức hội thao",
    "{who} sắp xếp lại {place} gọn gàng, ngăn nắp",
)


@dataclass(frozen=True, slots=True)
class Setting:
    """Who acts in the posts of a kind of unit, where, and what they are about; by label as in `Season`."""

    who: tuple[str, ...]
    place: tuple[str, ...]
    titles: Mapping[str, tuple[str, ...]]


HOME = {"tin-tot": AROUND_HOME_NEWS, "cau-chuyen-dep": AROUND_HOME_STORIES, "": ORDINARY + AROUND_HOME}
WORK = {"tin-tot": WORK_NEWS, "cau-chuyen-dep": WORK_STORIES, "": ORDINARY + AT_WORK}
HOME_PLACES = ("khu phố 3", "khu phố 5", "xóm bến", "khu nhà trọ", "hẻm 42", "khu chợ cũ")
SETTINGS = {
    "quan-doan": Setting(
        ("tuổi trẻ quận", "đội hình tình nguyện quận", "câu lạc bộ xung kích quận"), HOME_PLACES, HOME
    ),
    "phuong": Setting(
        ("đội hình tình nguyện phường", "chi đoàn khu phố", "câu lạc bộ xung kích", "nhóm thanh niên phường"),
        HOME_PLACES,
        HOME,
    ),
    "truong-hoc": Setting(
        ("chi đoàn 11A3", "chi đoàn 10A1", "câu lạc bộ tình nguyện", "đoàn viên khối 12"),
        ("sân trường", "cổng trường", "thư viện trường", "nhà đa năng"),
        {"tin-tot": SCHOOL_NEWS, "cau-chuyen-dep": SCHOOL_STORIES, "": ORDINARY + AT_SCHOOL},
    ),
    "co-quan": Setting(
        ("chi đoàn văn phòng", "đoàn viên cơ quan", "nhóm cán bộ trẻ"),
        ("bộ phận một cửa", "phòng lưu trữ", "hội trường cơ quan"),
        WORK,
    ),
    "doanh-nghiep": Setting(
        ("chi đoàn chuyền may", "nhóm công nhân trẻ", "đoàn viên công ty"),
        ("nhà ăn công ty", "chuyền may số 2", "khu lưu trú công nhân"),
        WORK,
    ),
}
CLOSING = {
    "tin-tot": (
        "Việc làm được mọi người đồng tình và cùng góp sức.",
        "Phần việc này tiếp tục được duy trì trong tháng tới.",
        "Đây là phần việc thiết thực của tuổi trẻ đơn vị.",
    ),
    "cau-chuyen-dep": ("Một việc nhỏ mà ấm lòng.", "Xin cảm ơn những tấm lòng thầm lặng."),
    "": ("Mời các bạn theo dõi và cùng tham gia.", "Thông tin được cập nhật trên kênh này."),
}
IN_SEASON = 0.5
"""The share of a season's posts that speak of it; all do on a day that everybody keeps, and at Tết."""
NEWS_MARKS = ("#MỗiNgàyMộtTinTốt", "#moingay1tintot", "Mỗi ngày một tin tốt", "MỖI NGÀY 1 TIN TỐT")
STORY_MARKS = ("#MỗiTuầnMộtCâuChuyệnĐẹp", "#moituan1cauchuyendep", "Mỗi tuần một câu chuyện đẹp", "Câu chuyện đẹp")


@dataclass(frozen=True, slots=True)
class Words:
    """What an item says. The category is how a website files it."""

    title: str
    text: str
    category: str


def words(random: Random, unit_kind: str, label: str, day: date, *, titles_only: bool) -> Words:
    """Words for one item of a local *day*: *label* is `tin-tot`, `cau-chuyen-dep` or nothing.

    With *titles_only* the label stands in the title, because that is all a reader of such a site gets.
    """
    title = _title(random, SETTINGS[unit_kind], label, day)
    text = f"{title}. {random.choice(CLOSING[label])} {MADE_UP}"
    if not label:
        return Words(title, text, random.choice(ORDINARY_CATEGORIES))
    return _labelled(random, title, text, label, titles_only=titles_only)


def _title(random: Random, setting: Setting, label: str, day: date) -> str:
    seasonal = seasonal_titles(day, label)
    in_season = is_tet(day) or (is_festive(day) and not label) or random.random() < IN_SEASON
    title = random.choice(seasonal if seasonal and in_season else setting.titles[label]).format(
        who=random.choice(setting.who),
        place=random.choice(setting.place),
        few=random.randrange(2, 9),
        some=random.randrange(12, 80),
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
