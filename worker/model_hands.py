"""The language models of each tenant, made from its own keys or the house's; an SDK loads when first needed."""

from __future__ import annotations

import threading

from pydantic import SecretStr

from domain import credentials
from domain.clock import Clock
from domain.credentials import NoCredential
from domain.db import Tx
from domain.models import ModelProvider
from domain.ports import NeverWill
from domain.vault import SecretUnreadable, Vault
from providers.circuit import Circuit
from providers.wire import Wire
from worker.settings import Settings


class VendorModels:
    """Hands over the real providers; connections and circuits outlive the call that they were made for."""

    def __init__(self, settings: Settings, vault: Vault, clock: Clock) -> None:
        self.order = settings.model_order
        self.deadline_seconds = settings.question_seconds
        self._settings = settings
        self._vault = vault
        self._clock = clock
        self._wire = Wire()
        self._mutex = threading.Lock()
        self._circuits: dict[str, Circuit] = {}
        self._refused: set[str] = set()
        """Models behind whose address a wish about thinking is taken for a mistake."""

    def provider(self, tx: Tx, name: str) -> ModelProvider:
        """A provider with the tenant's own key, or the house's. Raises NeverWill when there is none."""
        settings = self._settings
        match name:
            case "anthropic":
                from providers.anthropic import AnthropicModels

                key = self._key(tx, "anthropic_api_key", settings.anthropic_api_key, "ANTHROPIC_API_KEY")
                url = settings.anthropic_base_url
                return AnthropicModels(
                    key, url, wire=self._wire, circuit=self._circuit(name), refused=self._refused
                )  # fmt: skip
            case "openai":
                key = self._key(tx, "openai_api_key", settings.openai_api_key, "OPENAI_API_KEY")
                return self._compatible(name, key, settings.openai_base_url)
            case "gemini":
                from providers.gemini import GeminiModels

                key = self._key(tx, "gemini_api_key", settings.gemini_api_key, "GEMINI_API_KEY")
                url = settings.gemini_api_url
                return GeminiModels(key, url, wire=self._wire, circuit=self._circuit(name), refused=self._refused)
            case "local":
                if settings.local_model_url is None:
                    raise NeverWill("HOURHAND_LOCAL_MODEL_URL is not set")
                return self._compatible(name, None, settings.local_model_url)
            case _:
                raise NeverWill(f"{name!r} is none of anthropic, openai, gemini, local")

    def _compatible(self, name: str, key: str | None, url: str) -> ModelProvider:
        from providers.openai_compatible import OpenAICompatibleModels

        return OpenAICompatibleModels(
            name, key, url, wire=self._wire, circuit=self._circuit(name), refused=self._refused
        )  # fmt: skip

    def _circuit(self, name: str) -> Circuit:
        with self._mutex:
            return self._circuits.setdefault(name, Circuit(self._clock))

    def _key(self, tx: Tx, name: str, default: SecretStr | None, variable: str) -> str:
        try:
            return credentials.get(tx, self._vault, name)
        except NoCredential as error:
            if default is not None:
                return default.get_secret_value()
            raise NeverWill(f"{name} is not stored for this tenant and {variable} is not set") from error
        except SecretUnreadable as error:
            raise NeverWill(f"{name}: {error}") from error
