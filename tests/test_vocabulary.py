"""The check of the vocabulary reports old words and accepts their replacements."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from tools import vocabulary


def texts(findings: Iterable[vocabulary.Finding]) -> list[str]:
    return sorted(finding.text for finding in findings)


@pytest.mark.parametrize(
    ("text", "matches"),
    [
        ("The answer has no body.", ["answer"]),
        ("def test_a_stranger_is_refused()", ["a_stranger"]),
        ("class HappeningLog:", ["Happening"]),
        ("self._answers = []", ["answers"]),
        ("ANSWER = 42", ["ANSWER"]),
        ("a payload that is no event", ["is no event"]),
        ("Be again as when the snapshot was taken", ["Be again", "as when"]),
        ("# what the\n    # stubs say about it", ["the # stubs say"]),
        ('"""Whether it holds."""', ["Whether"]),
        ('"""Return the colour."""', ["colour"]),
    ],
)
def test_old_words_are_found(text: str, matches: list[str]) -> None:
    assert texts(vocabulary.check_text("x.py", text)) == sorted(matches)


@pytest.mark.parametrize(
    "text",
    [
        "Return the response.",
        "def mask(task): ...",  # words that contain a banned word
        "the life cycle of a subscription",
        "there is no API key, and the cursor takes question marks",
        "one row per event",  # a word of SQL
        "Everything is stored as it was sent.",
        '"""Return whether it holds."""',
        "the color of the catalog",
    ],
)
def test_plain_words_are_accepted(text: str) -> None:
    assert texts(vocabulary.check_text("x.py", text)) == []


def test_identifiers_are_found_where_they_are_introduced_or_used_as_attributes() -> None:
    source = (
        "import a.Ask\nclass Refusal:\n    def hide(self, said): self.bury(kept=1)\nfor one in range(3): _made = one\n"
    )
    findings = list(vocabulary.check_identifiers("x.py", source))
    assert texts(findings) == ["Ask", "Refusal", "_made", "bury", "hide", "kept", "one", "said"]
    assert {finding.text: finding.line for finding in findings}["_made"] == 4


def test_ordinary_identifiers_are_accepted() -> None:
    source = "import ask_later\nclass Row2:\n    def store(self, item): self.lifecycle(key=1)\n"
    assert list(vocabulary.check_identifiers("x.py", source)) == []


@pytest.mark.parametrize(
    "source",
    [
        'paid = True\n"""Whether it is paid."""\n',
        'class A:\n    paid: bool\n    """Whether it is paid."""\n',
        'class A:\n    @property\n    def paid(self):\n        """Whether it is paid."""\n',
        'class A:\n    @functools.cached_property\n    def paid(self):\n        """Whether it is paid."""\n',
    ],
)
def test_docstrings_of_attributes_and_properties_may_begin_with_whether(source: str) -> None:
    assert texts(vocabulary.check_source("x.py", source)) == []
    assert texts(vocabulary.check_source("x.py", source.replace("Whether", "How"))) == ["How"]


@pytest.mark.parametrize(
    "source",
    [
        '"""Whether it is paid."""\n',
        'class A:\n    """Whether it is paid."""\n    paid: bool\n',
        'def paid():\n    """Whether it is paid."""\n',
        'class A:\n    @classmethod\n    def paid(cls):\n        """Whether it is paid."""\n',
        'def pay():\n    paid = True\n    """Whether it is paid."""\n',
    ],
)
def test_other_docstrings_may_not_begin_with_whether(source: str) -> None:
    assert texts(vocabulary.check_source("x.py", source)) == ["Whether"]


@pytest.mark.parametrize("path", ["src/x/lives/a.py", "src/x/_doors.py", "tests/test_laws.py", "src/x/settle.py"])
def test_module_names_are_found(path: str) -> None:
    assert len(list(vocabulary.check_path(path))) == 1


def test_ordinary_module_names_are_accepted() -> None:
    assert list(vocabulary.check_path("src/pinstripe/emulator/operations/invoice_lines.py")) == []


def test_each_word_has_a_replacement() -> None:
    for table in (vocabulary.IDENTIFIERS, vocabulary.MODULES, vocabulary.PHRASES):
        assert all(table.values())


def test_command_prints_findings_and_their_number_per_folder(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    finding = vocabulary.Finding("src/pinstripe/webhooks/inbox.py", 7, "life", "lifecycle")
    monkeypatch.setattr(vocabulary, "check_file", lambda path: [finding])
    assert vocabulary.main(["tools"]) == 1
    assert capsys.readouterr().out.splitlines() == [
        "src/pinstripe/webhooks/inbox.py:7: 'life': use lifecycle",
        "     1 in src/pinstripe/webhooks",
    ]


def test_command_accepts_its_own_folder(capsys: pytest.CaptureFixture[str]) -> None:
    assert vocabulary.main(["tools"]) == 0
    assert capsys.readouterr().out == ""
