"""LangChain's standard tests of a chat model, by its OpenAI integration: the Responses API."""

import os

import pytest

from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests


class Of(ChatModelIntegrationTests):
    __test__ = False
    upstream = ""

    @property
    def chat_model_class(self):
        return ChatOpenAI

    @property
    def chat_model_params(self):
        return {
            "model": self.upstream,
            "base_url": os.environ["COMPLY_URL"] + "/v1",
            "api_key": "k",
            "use_responses_api": True,
        }

    @property
    def model_override_value(self):
        return "mock"

    @property
    def supports_pdf_inputs(self):
        return True

    @property
    def supports_image_inputs(self):
        return True

    @property
    def supports_json_mode(self):
        return True

    @pytest.mark.xfail(reason="The Responses API has no stop sequences.")
    def test_stop_sequence(self, model):
        super().test_stop_sequence(model)


for name in os.environ["COMPLY_MODELS"].split(","):
    globals()[f"Test_{name}"] = type(f"Test_{name}", (Of,), {"__test__": True, "__module__": __name__, "upstream": name})
