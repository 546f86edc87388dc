"""The statuses of RESULT and their official messages (specification 3.0, section 4.1: 全API共通)."""

from __future__ import annotations

Status = tuple[int, str]
"""STATUS and ERROR_MSG."""

DONE: Status = (0, "正常に終了しました。")
NO_DATA: Status = (1, "正常に終了しましたが、該当データはありませんでした。")
PARTLY: Status = (2, "正常に終了しましたが、一部に該当データがありませんでした。")
"""Of getStatsDatas alone. Its number is the manual's, its words are ours: no answer that has them is known to us."""


class RefusalError(Exception):
    """A request that is answered with an error: its STATUS and e-Stat's own message for it."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status: Status = (status, message)


def not_authenticated() -> RefusalError:
    """STATUS 100: no application ID, or a wrong one."""
    return RefusalError(100, "認証に失敗しました。アプリケーションIDを確認して下さい。")


def missing(what: str) -> RefusalError:
    """STATUS 101: a parameter that must be there is not. `what` is the sentence up to its verb."""
    return RefusalError(101, f"{what}を指定して下さい。")


def wrong_value(label: str, name: str) -> RefusalError:
    """STATUS 102: a parameter holds what it cannot hold."""
    return RefusalError(102, f"{label}（{name}）の値が正しくありません。")


def unexpected() -> RefusalError:
    """STATUS 299: the server itself failed."""
    return RefusalError(299, "予期しないエラーが発生しました。管理者に問い合わせて下さい。")


def unknown_id(label: str, name: str, value: str) -> RefusalError:
    """STATUS 300: there is no such table or dataset."""
    return RefusalError(300, f"{label}（{name}）=[{value}]のデータは存在しません。IDを確認して下さい。")
