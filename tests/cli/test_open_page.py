"""`--open`: the page that watch and serve print is opened in a browser."""

import socket
import webbrowser

import pytest
from typer.testing import CliRunner

from edgedigits.cli import app
from edgedigits.cli.model_options import open_in_browser
from edgedigits.serving import server


def test_the_address_is_printed_where_there_is_no_browser(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: opened.append(address) or len(opened) > 1)
    open_in_browser("http://here/")
    assert "http://here/" in capsys.readouterr().err
    open_in_browser("http://here/")
    assert opened == ["http://here/"] * 2 and not capsys.readouterr().err


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_a_server_on_all_addresses_is_opened_on_this_machine(host: str) -> None:
    with socket.create_server((host, 0)) as listening:
        port = listening.getsockname()[1]
        assert server.address_of(listening) == f"http://{host}:{port}/"
        here = server.address_of(listening, from_here=True)
        assert here == f"http://{'localhost' if host == '0.0.0.0' else host}:{port}/"


@pytest.mark.parametrize("option", [[], ["--open"]])
def test_a_page_is_opened_only_if_asked(option: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda address: not opened.append(address))
    monkeypatch.setattr(server, "serve", lambda _, when_listening: when_listening("http://here/"))
    assert CliRunner().invoke(app, ["serve", *option]).exit_code == 0
    assert opened == ["http://here/"] * len(option)
