"""Outside readers: good ones are scored; crashing, hanging and babbling ones are told as such, and killed."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from recognizer.proof.outside import Outside, outside_readers, parsed
from recognizer.proof.run import Bench, Entry
from recognizer.proof.serve import cut
from recognizer.proof.sets import PlateSet, real_set
from recognizer.proof.training import Failed
from synth.errors import UserError

TEXTS = ("皖A12345", "苏B8888D")
Command = Callable[..., Outside]

GOOD = """
import sys
for line in open(sys.argv[1], encoding="utf-8"):
    print(line.strip(), "皖A12345", sep="\\t")
"""


@pytest.fixture
def plates(tmp_path: Path) -> PlateSet:
    folder = tmp_path / "set"
    folder.mkdir()
    lines = ["path\ttext\ttype\tcolour"]
    for number, text in enumerate(TEXTS):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((24, 94, 3), 40 * number, np.uint8))
        lines.append(f"{number}.png\t{text}\tsingle\tblue")
    (folder / "labels.tsv").write_text("\n".join(lines) + "\n", "utf-8")
    return real_set("mine", str(folder))


@pytest.fixture
def command(tmp_path: Path) -> Command:
    """A reader that runs this Python."""

    def made(code: str, timeout_s: float = 60) -> Outside:
        script = tmp_path / "script.py"
        script.write_text(code, "utf-8")
        words = shlex.join([sys.executable, "-X", "utf8", "-S", str(script)])
        return outside_readers(["command"], words, None, timeout_s, ["cn/blue"])[0]

    return made


def test_a_good_command_is_scored_and_kept(plates: PlateSet, command: Command, tmp_path: Path) -> None:
    bench, reader = Bench(tmp_path / "out"), command(GOOD)
    key = reader.digest
    entry = bench.tested(Entry("as it is", "command", None), "command", key, [plates], reader.read)
    assert entry.results["mine"]["exact"] == 0.5 and entry.results["mine"]["right"] == [1, 0]
    assert entry.sheets["mine"].read_bytes().startswith(b"\xff\xd8")

    def never(_: PlateSet) -> list[object]:
        raise AssertionError("read again")

    again = bench.tested(Entry("", "", None), "command", key, [plates], never)  # type: ignore[arg-type]
    assert again.results == entry.results
    assert command(GOOD + "# edited").digest != key


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("raise SystemExit('out of memory')", "crashed: exit 1: out of memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "crashed: killed by SIGSEGV"),
        ("print('hello')", "garbage: line 1: 'hello': no tab"),
        ("print('other.png', 'A', sep=chr(9))", "not asked for"),
        ("", "garbage: 2 of 2 pictures not answered"),
        ("import sys; sys.stdout.buffer.write(b'\\xff\\xfe')", "garbage: not UTF-8 at byte 0"),
        ("while True: print('y' * 1000)", "garbage: printed more than"),
        ("import sys\nwhile True: print('y' * 1000, file=sys.stderr)", "garbage: printed more than"),
    ],
)
def test_a_bad_command_is_told(
    code: str, said: str, plates: PlateSet, command: Command, tmp_path: Path
) -> None:
    reader = command(code)
    with pytest.raises(Failed) as told:
        reader.read(plates)
    assert said in str(told.value)
    entry = Bench(tmp_path / "out").tested(
        Entry("as it is", "command", None), "command", reader.digest, [plates], reader.read
    )
    assert not entry.results and said in entry.reason and "failed" in entry.line()


def test_a_hanging_command_is_killed_with_its_children(
    plates: PlateSet, command: Command, tmp_path: Path
) -> None:
    child = tmp_path / "child"
    code = f"import subprocess\nsubprocess.run(['sh', '-c', 'sleep 4; touch {child}'])"
    begun = time.monotonic()
    with pytest.raises(Failed, match="hung: no end within 1 s"):
        command(code, 1).read(plates)
    assert time.monotonic() - begun < 4
    time.sleep(4.5 - (time.monotonic() - begun))
    assert not child.exists()


def test_a_missing_command(plates: PlateSet) -> None:
    (reader,) = outside_readers(["command"], "no-such-program", None, 5, [])
    with pytest.raises(Failed, match="cannot be started: no-such-program"):
        reader.read(plates)


def test_a_callable(plates: PlateSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "def read(path):\n    print('chatter')\n    return '皖A·12345'\ndef number(path):\n    return 7\n"
    (tmp_path / "their_reader.py").write_text(code, "utf-8")
    monkeypatch.chdir(tmp_path)
    (reader,) = outside_readers(["plates"], None, "their_reader.read", 120, [])
    assert [one.text for one in reader.read(plates)] == ["皖A12345", "皖A12345"]
    (reader,) = outside_readers([], None, "their_reader.number", 120, [])
    with pytest.raises(Failed, match=r"crashed: exit 2: error: reader.target=their_reader.number: gave int"):
        reader.read(plates)


@pytest.mark.parametrize(
    ("names", "command_", "said"),
    [
        (["command"], None, "readers: command needs reader.command="),
        (["callable"], None, "readers: callable needs reader.target="),
        (["tesseract"], None, "readers: 'tesseract' is none of"),
        (["command"], "python 'read.py", "mend the quotes"),
    ],
)
def test_mistakes_are_told_at_the_door(names: list[str], command_: str | None, said: str) -> None:
    with pytest.raises(UserError) as told:
        outside_readers(names, command_, None, 5, [])
    assert said in str(told.value)


def test_answers_are_folded_and_asked_for_once() -> None:
    assert parsed("a\t皖A·123\r\nb\t\n".encode(), {"a", "b"}) == {"a": "皖A123", "b": ""}
    with pytest.raises(Failed, match="answered twice"):
        parsed(b"a\tX\na\tX\n", {"a"})


def test_rows_are_cut_for_a_reader_of_lines() -> None:
    image = np.zeros((100, 200, 3), np.uint8)
    assert [part.shape[0] for part in cut(image, 2)] == [40, 66] and cut(image, 1)[0] is image
    assert all(part.size for part in cut(image[:1], 2))
