"""[forge] of prodwise.toml: where healing changes go. It names where the token is, and never holds one."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

ForgeKind = Literal["git", "github", "gitlab", "gitea"]
_VARIABLE = r"^([A-Za-z_][A-Za-z0-9_]{0,100})?$"


class ForgeConfig(BaseModel):
    """kind "git" needs nothing: branches go to `remote`, the text into a note. The others need `repo` and a token."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ForgeKind = "git"  # "gitea" is Forgejo's, too
    repo: str = Field("", pattern=r"^([A-Za-z0-9_.-]{1,100}(/[A-Za-z0-9_.-]{1,100}){1,9})?$")  # "owner/name"
    api: str = Field("", max_length=500)  # empty = github.com's or gitlab.com's
    remote: str = Field("", max_length=500)  # git: a remote's name or address; empty = "origin"
    token_env: str = Field("", pattern=_VARIABLE)  # the variable that holds the token
    token_file: str = Field("", max_length=4096)  # or the file
    app_id: int = Field(0, ge=0, le=10**12)  # GitHub: an App makes its tokens by itself,
    key_file: str = Field("", max_length=4096)  # with its private key

    @model_validator(mode="after")
    def _fits(self) -> ForgeConfig:
        if self.token_env and self.token_file:
            raise ValueError("the token has two places: keep token_env or token_file")
        self._app_fits()
        if self.kind == "git":
            if self.repo or self.api:
                raise ValueError('repo and api are for a kind of "github", "gitlab" or "gitea"')
            return self
        if not self.repo:
            raise ValueError('repo is missing: write repo = "owner/name"')
        if not (self.token_env or self.token_file or self.app_id):
            raise ValueError("token_env or token_file is missing: where is the token?")
        if self.kind == "gitea" and not self.api:
            raise ValueError('api is missing: write api = "https://HOST/api/v1"')
        if self.remote:
            raise ValueError('remote is for a kind of "git"; branches go to the host of `api`')
        if self.kind != "gitlab" and self.repo.count("/") != 1:
            raise ValueError('repo must be "owner/name"')
        return self

    def _app_fits(self) -> None:
        if bool(self.app_id) != bool(self.key_file):
            raise ValueError("app_id and key_file go together: which App, and where is its private key?")
        if self.app_id and self.kind != "github":
            raise ValueError('app_id and key_file are for a kind of "github"')
        if self.app_id and (self.token_env or self.token_file):
            raise ValueError("an App makes its tokens: keep app_id and key_file, or token_env or token_file")
