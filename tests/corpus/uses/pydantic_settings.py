"""Settings from variables, files, secrets, TOML, YAML, JSON and the command line, in their order."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pydantic
from pydantic_settings import (
    BaseSettings,
    CliApp,
    CliSubCommand,
    JsonConfigSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
    YamlConfigSettingsSource,
    get_subcommand,
)


class Database(pydantic.BaseModel):
    host: str = "localhost"
    port: int = 5432


class Settings(BaseSettings):
    model_config = SettingsConfigDict(
        env_prefix="APP_",
        env_nested_delimiter="__",
        env_file=".env",
        secrets_dir="secrets",
        toml_file="a.toml",
        yaml_file="a.yaml",
        json_file="a.json",
        extra="ignore",
    )
    name: str = "default"
    debug: bool = False
    numbers: list[int] = []
    database: Database = Database()
    password: pydantic.SecretStr = pydantic.SecretStr("")
    toml: str = ""
    yaml: str = ""
    text: str = ""

    @classmethod
    def settings_customise_sources(
        cls, settings_cls: type[BaseSettings], **kinds: PydanticBaseSettingsSource
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (
            *kinds.values(),
            TomlConfigSettingsSource(settings_cls),
            YamlConfigSettingsSource(settings_cls),
            JsonConfigSettingsSource(settings_cls),
        )


class Sub(pydantic.BaseModel):
    count: int = pydantic.Field(1, description="how many")


class Program(BaseSettings):
    """A program."""

    model_config = SettingsConfigDict(cli_prog_name="program")
    verbose: bool = False
    sub: CliSubCommand[Sub]

    def cli_cmd(self) -> None:
        print("ran", self.verbose, get_subcommand(self))


def main() -> None:
    Path("secrets").mkdir()
    Path("secrets/app_password").write_text("hidden")
    Path(".env").write_text("APP_NAME=file\nAPP_DATABASE__PORT=1\n")
    Path("a.toml").write_text('toml = "t"\nname = "toml"\n')
    Path("a.yaml").write_text("yaml: y\n")
    Path("a.json").write_text(json.dumps({"text": "j"}))
    os.environ |= {"APP_DEBUG": "yes", "APP_NUMBERS": "[1, 2]", "APP_DATABASE__HOST": "remote"}
    settings = Settings()
    print(settings, settings.password.get_secret_value(), Settings(name="given").name)
    os.environ["APP_NUMBERS"] = "[1, x]"
    try:
        Settings()
    except Exception as error:
        print(type(error).__name__, error)
    CliApp.run(Program, ["--verbose", "true", "sub", "--count", "5"])
    for line in (["--help"], ["sub", "--help"], ["sub", "--count", "y"]):
        try:
            CliApp.run(Program, line)
        except (SystemExit, pydantic.ValidationError) as error:
            print(type(error).__name__, error)
