"""Tries the clients for Python; prints one JSON line per check, as checks.mjs does."""

import json
import struct
import sys
from importlib.metadata import version

import requests
from huggingface_hub import InferenceClient
from langchain_ollama import OllamaEmbeddings
from langchain_openai import OpenAIEmbeddings
from ollama import Client
from openai import BadRequestError, OpenAI

URL = sys.argv[1]
MODEL = "all-minilm"
TEXTS = [
    "The battery lasts two days.",
    "It arrived broken.\nThe seller answered at once.",
    "电池能用两天。 🔋",
    "A long review. " * 200,
]


def float32(vector):
    return struct.pack(f"{len(vector)}f", *vector)


EXPECTED = [float32(v) for v in requests.post(f"{URL}/v1/embed", json={"texts": TEXTS}).json()["vectors"]]


def check(package, tried, work):
    """Reports whether the vectors of `work` have the bytes of the native API, or the sentence that it returns."""
    row = {"client": f"{package} {version(package)} (Python)", "tried": tried}
    try:
        seen = work()
        if not isinstance(seen, str):
            if [float32(v) for v in seen] != EXPECTED:
                raise ValueError("other vectors than those of the native API")
            seen = f"{len(seen)} vectors, the bytes of the native API"
        print(json.dumps({**row, "seen": seen, "ok": True}), flush=True)
    except Exception as error:
        print(json.dumps({**row, "seen": f"{type(error).__name__}: {error}"[:300], "ok": False}), flush=True)


client = OpenAI(base_url=f"{URL}/v1", api_key="none", max_retries=0)
check("openai", "embeddings (base64)", lambda: [d.embedding for d in client.embeddings.create(model=MODEL, input=TEXTS).data])
check("openai", "models", lambda: ", ".join(m.id for m in client.models.list()))
ollama = Client(host=URL)
check("ollama", "embed", lambda: ollama.embed(model=MODEL, input=TEXTS).embeddings)
check("ollama", "list, show, ps, pull", lambda: f"{ollama.list().models[0].model}, {ollama.show(MODEL).capabilities}, {len(ollama.ps().models)} loaded, pull: {[p.status for p in ollama.pull(MODEL, stream=True)][-1]}")
check("langchain-ollama", "embed_documents", lambda: OllamaEmbeddings(model=MODEL, base_url=URL).embed_documents(TEXTS))


def with_texts():
    embeddings = OpenAIEmbeddings(model=MODEL, base_url=f"{URL}/v1", api_key="none", check_embedding_ctx_length=False)
    return embeddings.embed_documents(TEXTS)


class Words:
    """Stands for a tokenizer of OpenAI, which tiktoken would download."""

    def encode(self, text, **_):
        return [2028, 374, 264, 1296]

    encode_ordinary = encode


def with_token_ids():
    import tiktoken

    tiktoken.encoding_for_model = tiktoken.get_encoding = lambda *_: Words()
    try:
        OpenAIEmbeddings(model=MODEL, base_url=f"{URL}/v1", api_key="none").embed_documents(TEXTS)
    except BadRequestError as error:
        if "check_embedding_ctx_length=False" in str(error):
            return "token ids refused: the error names check_embedding_ctx_length=False"
        raise
    raise ValueError("token ids were embedded")


check("langchain-openai", "embed_documents with check_embedding_ctx_length=False", with_texts)
check("langchain-openai", "embed_documents with the default settings", with_token_ids)
check("huggingface_hub", "feature_extraction (TEI)", lambda: [InferenceClient(URL).feature_extraction(text)[0].tolist() for text in TEXTS])
