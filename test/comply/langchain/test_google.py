"""LangChain's standard tests of a chat model, by its Google integration: generateContent."""

import os

import pytest

from langchain_google_genai import ChatGoogleGenerativeAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

OTHER_MODEL = "The library does not let a call name another model: it takes the name for a setting, and refuses it."


class Of(ChatModelIntegrationTests):
    __test__ = False
    upstream = ""

    @property
    def chat_model_class(self):
        return ChatGoogleGenerativeAI

    @property
    def chat_model_params(self):
        return {
            "model": self.upstream,
            "base_url": os.environ["COMPLY_URL"],
            "api_key": "k",
        }

    @property
    def model_override_value(self):
        return "mock"

    @property
    def supports_pdf_inputs(self):
        return True

    @property
    def supports_audio_inputs(self):
        return True

    @property
    def supports_image_inputs(self):
        return True

    @property
    def supports_image_tool_message(self):
        return True

    @property
    def supports_pdf_tool_message(self):
        return True

    @property
    def supports_json_mode(self):
        return True

    @pytest.mark.xfail(reason=OTHER_MODEL)
    def test_invoke_with_model_override(self, model):
        super().test_invoke_with_model_override(model)

    @pytest.mark.xfail(reason=OTHER_MODEL)
    async def test_ainvoke_with_model_override(self, model):
        await super().test_ainvoke_with_model_override(model)

    @pytest.mark.xfail(reason=OTHER_MODEL)
    def test_stream_with_model_override(self, model):
        super().test_stream_with_model_override(model)

    @pytest.mark.xfail(reason=OTHER_MODEL)
    async def test_astream_with_model_override(self, model):
        await super().test_astream_with_model_override(model)


for name in os.environ["COMPLY_MODELS"].split(","):
    globals()[f"Test_{name}"] = type(f"Test_{name}", (Of,), {"__test__": True, "__module__": __name__, "upstream": name})
