"""The web UI behind nginx as `deploy/nginx.conf` has it: TLS, sessions, subscriptions, people that it signs in."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
import websockets.sync.client as sockets

from estat_dagster.services import free_port
from tests.deploy.deployment import ROOT, changed
from tests.deploy.stores import HOST, Store, find, running
from tests.ops.serving import VIEWER, guarded
from tests.ops.test_ops_guard import ADD, READ

pytestmark = pytest.mark.deploy
NAME = "lake.example"
BELIEVING = ("--allow-host", NAME, "--proxy-header", "X-Forwarded-User", "--proxy", HOST, "--operator", "mariko")
AROUND = """
daemon off;
{user}
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  include {folder}/server.conf;
}}
"""
BY_NGINX = {
    'proxy_set_header X-Forwarded-User "";': "",
    "# proxy_set_header X-Forwarded-User $remote_user;": "proxy_set_header X-Forwarded-User $remote_user;\n"
    "    auth_basic lake; auth_basic_user_file people;",
}


class Front:
    """The web UI as people reach it."""

    def __init__(self, port: int, certificate: Path) -> None:
        self.url, self.port, self.certificate = f"https://{HOST}:{port}", port, certificate

    def session(self, **options: object) -> requests.Session:
        session = requests.Session()
        session.trust_env, session.verify = False, str(self.certificate)  # else a REQUESTS_CA_BUNDLE goes before it
        session.headers["Host"] = NAME
        for name, value in options.items():
            setattr(session, name, value)
        return session


@contextmanager
def nginx(folder: Path, web: str, changes: dict[str, str]) -> Iterator[Front]:
    """Run nginx with the project's settings, its certificate made for this machine."""
    program, port = find("nginx", "nginx-light"), free_port()
    folder.mkdir()
    making = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/CN={NAME}", "-keyout", "key"]
    names = ["-addext", f"subjectAltName=DNS:{NAME},IP:{HOST}", "-out", "certificate"]
    subprocess.run([find("openssl", "openssl"), *making, *names], cwd=folder, check=True, capture_output=True)
    (folder / "people").write_text("mariko:{PLAIN}a-word-of-mariko\nkenji:{PLAIN}a-word-of-kenji\n", "utf-8")
    changes = changes | {
        "listen 443 ssl": f"listen {HOST}:{port} ssl", "127.0.0.1:3000": web,
        "/etc/ssl/lake.example.pem": f"{folder}/certificate", "/etc/ssl/lake.example.key": f"{folder}/key",
    }  # fmt: skip
    (folder / "server.conf").write_text(changed((ROOT / "deploy/nginx.conf").read_text("utf-8"), changes), "utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(AROUND.format(folder=folder, user=user), "utf-8")
    command = [program, "-p", str(folder), "-c", "nginx.conf"]
    with running(Store(command, folder, lambda: socket.create_connection((HOST, port)).close())):
        yield Front(port, folder / "certificate")


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    folder = tmp_path_factory.mktemp("nginx")
    with guarded(folder / "home", *BELIEVING) as web, nginx(folder / "nginx", web.host, {}) as front:
        yield front


@pytest.fixture(scope="module")
def signing_in(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """nginx asks people who they are, and vouches for them."""
    folder = tmp_path_factory.mktemp("signing-in")
    with (
        guarded(folder / "home", *BELIEVING, tokens=False) as web,
        nginx(folder / "nginx", web.host, BY_NGINX) as front,
    ):
        yield front


def test_a_person_logs_in_through_tls_and_follows_a_run(front: Front) -> None:
    browser = front.session()
    asked = browser.get(f"{front.url}/", headers={"Accept": "text/html"}, allow_redirects=False)
    assert (asked.status_code, asked.headers["location"]) == (303, "/login")
    origin = {"Origin": f"https://{NAME}"}
    entered = browser.post(f"{front.url}/login", {"token": VIEWER}, headers=origin, allow_redirects=False)
    assert entered.status_code == 303, entered.text
    assert "Secure" in entered.headers["set-cookie"], "the cookie never goes without TLS"
    assert browser.post(f"{front.url}/graphql", json={"query": READ}, headers=origin).json()["data"]["version"]
    evil = {"Origin": "https://evil.example"}
    assert browser.post(f"{front.url}/graphql", json={"query": READ}, headers=evil).status_code == 403
    [cookie] = browser.cookies
    context = ssl.create_default_context(cafile=str(front.certificate))
    line = socket.create_connection((HOST, front.port))
    given = {"Cookie": f"{cookie.name}={cookie.value}"}
    with sockets.connect(
        f"wss://{NAME}/graphql", sock=line, ssl=context, additional_headers=given, origin=origin["Origin"],  # type: ignore[arg-type]
        subprotocols=["graphql-ws"],  # type: ignore[list-item]
    ) as opened:  # fmt: skip
        opened.send(json.dumps({"type": "connection_init"}))
        assert json.loads(opened.recv(10))["type"] == "connection_ack"


def test_nobody_names_himself_to_the_web_ui(front: Front, signing_in: Front) -> None:
    named = {"X-Forwarded-User": "mariko"}
    for door in (front, signing_in):
        refused = door.session().post(f"{door.url}/graphql", json={"query": READ}, headers=named)
        assert refused.status_code == 401
    kenji = signing_in.session(auth=("kenji", "a-word-of-kenji"))
    assert kenji.post(f"{signing_in.url}/graphql", json={"query": ADD % "k"}, headers=named).status_code == 403


def test_whom_nginx_signs_in_has_the_role_of_the_name(signing_in: Front) -> None:
    for name, status in (("mariko", 200), ("kenji", 403)):
        person = signing_in.session(auth=(name, f"a-word-of-{name}"))
        assert person.post(f"{signing_in.url}/graphql", json={"query": READ}).json()["data"]["version"]
        assert person.post(f"{signing_in.url}/graphql", json={"query": ADD % name}).status_code == status
