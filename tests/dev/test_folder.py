from pathlib import Path

import pytest

from bridge import errors
from bridge.dev import folder


def not_ours() -> pytest.RaisesExc[errors.ConfigurationError]:
    return pytest.raises(errors.ConfigurationError, match="was not made by `bridge dev`")


def test_a_new_folder_is_made_and_marked(tmp_path: Path) -> None:
    with folder.opened(tmp_path / "new" / "data", fresh=False) as opened:
        assert (opened.root / folder.MARK).is_file()


def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    in_use = pytest.raises(errors.ConfigurationError, match="in use by another `bridge dev`")
    with folder.opened(tmp_path, fresh=False), in_use, folder.opened(tmp_path, fresh=False):
        pass


def test_a_folder_is_free_again_once_it_is_closed(tmp_path: Path) -> None:
    with folder.opened(tmp_path, fresh=False):
        pass
    with folder.opened(tmp_path, fresh=False) as again:
        assert again.root == tmp_path


def test_fresh_empties_our_folder(tmp_path: Path) -> None:
    with folder.opened(tmp_path, fresh=False) as opened:
        opened.mail.mkdir()
        (opened.mail / "1.eml").write_text("old")
        opened.database.write_text("old")
    with folder.opened(tmp_path, fresh=True) as opened:
        opened.empty()
        assert sorted(entry.name for entry in tmp_path.iterdir()) == [folder.LOCK, folder.MARK]


def test_fresh_does_not_follow_a_link_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("kept")
    with folder.opened(tmp_path / "data", fresh=False) as opened:
        opened.mail.symlink_to(outside)
    with folder.opened(tmp_path / "data", fresh=True) as opened:
        opened.empty()
        assert not opened.mail.exists()
        assert (outside / "precious").read_text() == "kept"


def test_fresh_refuses_a_folder_that_is_not_ours_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with not_ours(), folder.opened(tmp_path, fresh=True):
        pass
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_folder_with_other_things_in_it_never_becomes_ours(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with folder.opened(tmp_path, fresh=False):
        pass
    with not_ours(), folder.opened(tmp_path, fresh=True):
        pass


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(errors.ConfigurationError, match="cannot keep data in"),
        folder.opened(tmp_path / "file", fresh=False),
    ):
        pass
