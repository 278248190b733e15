"""LangChain's standard tests of a chat model, by its Ollama integration."""

import os

from langchain_ollama import ChatOllama
from langchain_tests.integration_tests import ChatModelIntegrationTests


class Of(ChatModelIntegrationTests):
    __test__ = False
    upstream = ""

    @property
    def chat_model_class(self):
        return ChatOllama

    @property
    def chat_model_params(self):
        return {
            "model": self.upstream,
            "base_url": os.environ["COMPLY_URL"],
        }

    @property
    def model_override_value(self):
        return "mock"

    @property
    def supports_image_inputs(self):
        return True

    @property
    def has_tool_choice(self):
        return False

    @property
    def supports_json_mode(self):
        return True


for name in os.environ["COMPLY_MODELS"].split(","):
    globals()[f"Test_{name}"] = type(f"Test_{name}", (Of,), {"__test__": True, "__module__": __name__, "upstream": name})
