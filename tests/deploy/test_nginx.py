"""The nginx example in front of the real service: TLS 1.2 and newer, and no metrics to the outside."""

from __future__ import annotations

import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
from cryptography import x509

from cds_service.samples import paperwork_missing
from tests.certificate import self_signed
from tests.service.bodies import SIGN
from tests.service.test_served import free_port, start

CONFIGURATION = Path(__file__).parent.parent.parent / "deploy" / "nginx" / "coverage-hooks.conf"

pytestmark = pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is not installed")


class Proxy(NamedTuple):
    port: int
    certificate: str
    log: Path


def write_certificate(folder: Path) -> None:
    certificate, key = self_signed(x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1")))
    (folder / "certificate.pem").write_bytes(certificate)
    (folder / "key.pem").write_bytes(key)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """nginx with our configuration, its ports and paths moved into a folder of the test."""
    folder = tmp_path_factory.mktemp("nginx")
    write_certificate(folder)
    behind, port = free_port(), free_port()
    text = CONFIGURATION.read_text(encoding="utf-8")
    for old, new in (
        ("127.0.0.1:8080", f"127.0.0.1:{behind}"),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/etc/ssl/coverage-hooks", str(folder)),
        ("/var/log/nginx", str(folder)),
    ):
        assert old in text
        text = text.replace(old, new)
    (folder / "site.conf").write_text(text, encoding="utf-8")
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    main = folder / "nginx.conf"
    main.write_text(
        f"daemon off;\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\n{temporary}include {folder}/site.conf;\n}}\n",
        encoding="utf-8",
    )
    service = start(behind)
    server = subprocess.Popen(["nginx", "-c", str(main)], stderr=subprocess.PIPE)
    wait_for(behind)
    wait_for(port)
    yield Proxy(port, str(folder / "certificate.pem"), folder / "coverage-hooks.log")
    server.terminate()
    server.communicate(timeout=15)
    service.send_signal(signal.SIGTERM)
    service.communicate(timeout=15)


def wait_for(port: int) -> None:
    end = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert time.monotonic() < end
            time.sleep(0.05)


@pytest.mark.req("A1.11")
def test_an_order_is_answered_over_tls(proxy: Proxy) -> None:
    url = f"https://127.0.0.1:{proxy.port}{SIGN}"
    response = requests.post(url, json=paperwork_missing(), verify=proxy.certificate, timeout=10)
    assert response.status_code == 200
    assert response.json()["cards"]
    assert "max-age" in response.headers["Strict-Transport-Security"]


@pytest.mark.parametrize("path", ["/metrics", "/metrics/", "//metrics", "/%6detrics"])
def test_metrics_are_not_for_the_outside(proxy: Proxy, path: str) -> None:
    url = f"https://127.0.0.1:{proxy.port}{path}"
    assert requests.get(url, verify=proxy.certificate, timeout=10).status_code == 404


def test_the_id_of_a_request_is_the_same_in_both_logs(proxy: Proxy) -> None:
    url = f"https://127.0.0.1:{proxy.port}/health/live"
    # The service takes the proxy's id; one that a client makes up does not get through.
    given = requests.get(url, headers={"X-Request-ID": "f" * 32}, verify=proxy.certificate, timeout=10)
    end = time.monotonic() + 10
    while given.headers["X-Request-ID"] not in proxy.log.read_text(encoding="utf-8"):
        assert time.monotonic() < end
        time.sleep(0.05)


def test_the_log_holds_no_query(proxy: Proxy) -> None:
    url = f"https://127.0.0.1:{proxy.port}/cds-services?patient=Planted-Name"
    requests.get(url, verify=proxy.certificate, timeout=10)
    end = time.monotonic() + 10
    while "/cds-services" not in proxy.log.read_text(encoding="utf-8"):
        assert time.monotonic() < end
        time.sleep(0.05)
    assert "Planted-Name" not in proxy.log.read_text(encoding="utf-8")


@pytest.mark.req("A1.11")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_tls_1_2_and_1_3_are_spoken(proxy: Proxy, version: ssl.TLSVersion) -> None:
    context = ssl.create_default_context(cafile=proxy.certificate)
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(("127.0.0.1", proxy.port), 5) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        assert secured.version() == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.req("A1.11")
def test_tls_1_1_is_refused(proxy: Proxy) -> None:
    context = ssl.create_default_context(cafile=proxy.certificate)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", proxy.port), 5) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="localhost")
