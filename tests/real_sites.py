"""Real web software on loopback: a WordPress with its MariaDB, and a site built by Hugo.

They come from the Debian packages wordpress, php-cli, php-mysql, mariadb-server and hugo.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

WORDPRESS = Path("/usr/share/wordpress")

CONFIG = """<?php
define('DB_NAME', 'wp'); define('DB_USER', '{user}'); define('DB_PASSWORD', '');
define('DB_HOST', 'localhost:{socket}'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', '{url}'); define('WP_SITEURL', '{url}');
define('WP_HTTP_BLOCK_EXTERNAL', true); define('DISABLE_WP_CRON', true);
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', __DIR__ . '/');
require_once ABSPATH . 'wp-settings.php';
"""

INSTALL = """<?php
define('WP_INSTALLING', true);
require __DIR__ . '/wp-load.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
function wp_new_blog_notification() {}
wp_install('Site mau', 'bientap', 'bientap@doan-mau.example', true, '', 'mat-khau-thu');
update_option('timezone_string', 'Asia/Ho_Chi_Minh');
foreach (get_posts(['numberposts' => -1, 'post_type' => 'any']) as $post) wp_delete_post($post->ID, true);
"""

INSERT = """<?php
require __DIR__ . '/wp-load.php';
foreach (json_decode(file_get_contents('php://stdin'), true) as $item) {
    $category = isset($item['category']) ? [wp_create_category_named($item['category'])] : [];
    echo wp_insert_post(['post_title' => $item['title'], 'post_content' => $item['title'], 'post_status' => 'publish',
        'post_author' => 1, 'post_date' => $item['at'], 'post_category' => $category]), "\\n";
}
function wp_create_category_named($name) {
    $found = term_exists($name, 'category') ?: wp_insert_term($name, 'category');
    return (int) $found['term_id'];
}
"""


NEED_WORDPRESS = "apt-get install --no-install-recommends wordpress php-cli php-mysql mariadb-server"
NEED_HUGO = "apt-get install --no-install-recommends hugo"


def have_wordpress() -> bool:
    return WORDPRESS.is_dir() and all(shutil.which(name) for name in ("php", "mariadbd", "mariadb-install-db"))


def have_hugo() -> bool:
    return shutil.which("hugo") is not None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class WordPress:
    """A running WordPress; `url` is its home."""

    def __init__(self, root: Path, url: str) -> None:
        self.root, self.url = root, url

    def publish(self, *items: dict[str, str]) -> list[int]:
        """Publish posts given as {title, at (local, «Y-m-d H:i:s»), category?}; returns their ids."""
        (self.root / "nhip-insert.php").write_text(INSERT)
        out = self._php("nhip-insert.php", json.dumps(items))
        return [int(line) for line in out.split()]

    def delete(self, *post_ids: int) -> None:
        script = "<?php require __DIR__ . '/wp-load.php'; foreach ({ids} as $id) wp_delete_post($id, true);"
        (self.root / "nhip-delete.php").write_text(script.format(ids=list(post_ids)))
        self._php("nhip-delete.php")

    def _php(self, script: str, text: str = "") -> str:
        done = subprocess.run(
            ["php", script], cwd=self.root, input=text, capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout


@contextmanager
def running_wordpress(folder: Path) -> Iterator[WordPress]:
    port = free_port()
    site = WordPress(folder / "site", f"http://127.0.0.1:{port}")
    shutil.copytree(WORDPRESS, site.root, symlinks=False, ignore=shutil.ignore_patterns("wp-config.php"))
    with running_mariadb(folder / "db") as (user, sock):
        (site.root / "wp-config.php").write_text(CONFIG.format(user=user, socket=sock, url=site.url))
        (site.root / "nhip-install.php").write_text(INSTALL)
        site._php("nhip-install.php")
        server = subprocess.Popen(
            ["php", "-S", f"127.0.0.1:{port}", "-t", str(site.root)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PHP_CLI_SERVER_WORKERS": "2"},
            start_new_session=True,
        )
        try:
            wait_for(site.url + "/?rest_route=/")
            yield site
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # its workers outlive it otherwise
            server.wait(10)


@contextmanager
def running_mariadb(folder: Path) -> Iterator[tuple[str, Path]]:
    """A MariaDB of our own in a folder, reached by a socket only: (user, socket)."""
    folder.mkdir(parents=True)
    user = "root"
    own = ["--user=root"] if os.geteuid() == 0 else []
    base = [f"--datadir={folder / 'data'}", *own]
    subprocess.run(
        [
            "mariadb-install-db",
            "--no-defaults",
            *base,
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    sock = Path(f"/tmp/nhip-{os.getpid()}-{folder.stat().st_ino}.sock")
    server = subprocess.Popen(
        [
            "mariadbd",
            "--no-defaults",
            *base,
            f"--socket={sock}",
            "--skip-networking",
            f"--pid-file={folder / 'pid'}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(200):
            made = subprocess.run(
                [
                    "mariadb",
                    "--no-defaults",
                    "-u",
                    user,
                    f"--socket={sock}",
                    "-e",
                    "CREATE DATABASE IF NOT EXISTS wp",
                ],
                capture_output=True,
                check=False,
            )
            if made.returncode == 0:
                break
            time.sleep(0.1)
        yield user, sock
    finally:
        server.terminate()
        server.wait(30)


def wait_for(url: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
        else:
            return


def build_hugo(folder: Path, articles: list[tuple[str, datetime]], base: str = "/") -> Path:
    """A Hugo site with its usual RSS; returns the folder to serve."""
    content = folder / "content" / "tin"
    content.mkdir(parents=True)
    (folder / "config.toml").write_text('languageCode = "vi"\ntitle = "Site mẫu"\n')
    layouts = folder / "layouts" / "_default"
    layouts.mkdir(parents=True)
    link = "<link rel='{{ .Rel }}' type='{{ .MediaType.Type }}' href='{{ .RelPermalink }}'>"
    feeds = f"{{{{ range .AlternativeOutputFormats }}}}{link}{{{{ end }}}}"
    page = f"<html><head>{feeds}<title>{{{{ .Title }}}}</title></head><body>{{{{ .Content }}}}</body></html>"
    for name in ("list.html", "single.html"):
        (layouts / name).write_text(page)
    for number, (title, at) in enumerate(articles):
        front = f'+++\ntitle = "{title}"\ndate = {at.isoformat()}\n+++\n\n{title}\n'
        (content / f"bai-{number}.md").write_text(front)
    subprocess.run(
        ["hugo", "--quiet", "--buildFuture", "--baseURL", base],
        cwd=folder,
        check=True,
        capture_output=True,
        timeout=60,
    )
    return folder / "public"


class QuietHandler(SimpleHTTPRequestHandler):
    def __init__(self, *args: Any, asked: list[str], **options: Any) -> None:
        self.asked = asked
        super().__init__(*args, **options)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        self.asked.append(self.path)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        pass


@contextmanager
def serving(folder: Path, port: int = 0, asked: list[str] | None = None) -> Iterator[str]:
    """Serve a folder of files on loopback; yields the address. Every path that was asked for lands in *asked*."""
    handler = partial(QuietHandler, directory=str(folder), asked=[] if asked is None else asked)
    server = ThreadingHTTPServer(("127.0.0.1", port), handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
