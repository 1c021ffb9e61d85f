//! Providers of language models and of what belongs to them.

use amint_types::Severity::High;

use crate::kind::Kind;

pub(crate) const KINDS: &[Kind] = &[
    Kind::token(
        "openai-key",
        "OpenAI key",
        &[b"sk-proj-", b"sk-svcacct-", b"sk-admin-"],
        "sk-(?:proj|svcacct|admin)-[A-Za-z0-9_-]{40,200}",
    )
    .entropy(4.0),
    Kind::token(
        "openai-old-key",
        "OpenAI key of old form",
        &[b"T3BlbkFJ"],
        "sk-(?:[A-Za-z0-9]{1,16}-)?[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}",
    )
    .lead(40)
    .entropy(4.0),
    Kind::token(
        "anthropic-key",
        "Anthropic key",
        &[b"sk-ant-"],
        "sk-ant-(?:api|admin|sid|oat)[0-9]{2}-[A-Za-z0-9_-]{80,120}",
    )
    .entropy(4.0),
    Kind::token("huggingface-token", "Hugging Face token", &[b"hf_"], "hf_[A-Za-z]{34}").entropy(3.9),
    Kind::token(
        "huggingface-organisation-token",
        "Hugging Face organisation token",
        &[b"api_org_"],
        "api_org_[A-Za-z]{34}",
    )
    .entropy(3.8),
    Kind::token("groq-key", "Groq key", &[b"gsk_"], "gsk_[A-Za-z0-9]{52}").entropy(3.9),
    Kind::token("replicate-token", "Replicate token", &[b"r8_"], "r8_[A-Za-z0-9]{37}").entropy(3.9),
    Kind::token("perplexity-key", "Perplexity key", &[b"pplx-"], "pplx-[A-Za-z0-9]{48}").entropy(3.9),
    Kind::token("xai-key", "xAI key", &[b"xai-"], "xai-[A-Za-z0-9]{80}").entropy(4.0),
    Kind::token("openrouter-key", "OpenRouter key", &[b"sk-or-v1-"], "sk-or-v1-[a-f0-9]{64}"),
    Kind::token(
        "langsmith-key",
        "LangSmith key",
        &[b"lsv2_pt_", b"lsv2_sk_"],
        "lsv2_(?:pt|sk)_[a-f0-9]{32}_[a-f0-9]{10}",
    ),
    Kind::token(
        "langfuse-key",
        "Langfuse secret key",
        &[b"sk-lf-"],
        "sk-lf-[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    ),
    Kind::token("nvidia-key", "NVIDIA key", &[b"nvapi-"], "nvapi-[A-Za-z0-9_-]{64}").entropy(4.0),
    Kind::token("pinecone-key", "Pinecone key", &[b"pcsk_"], "pcsk_[A-Za-z0-9]{5,6}_[A-Za-z0-9]{50,64}")
        .entropy(3.9),
    Kind::token("tavily-key", "Tavily key", &[b"tvly-"], "tvly-(?:dev-|prod-)?[A-Za-z0-9]{32}")
        .entropy(3.6)
        .severity(High),
    Kind::token("fireworks-key", "Fireworks AI key", &[b"fw_"], "fw_[A-Za-z0-9]{24}")
        .entropy(3.9)
        .severity(High),
    Kind::token("cerebras-key", "Cerebras key", &[b"csk-"], "csk-[a-z0-9]{48}").entropy(3.8),
    Kind::token("firecrawl-key", "Firecrawl key", &[b"fc-"], "fc-[a-f0-9]{32}").severity(High),
    Kind::assigned(
        "elevenlabs-key",
        "ElevenLabs key",
        &[b"elevenlabs", b"eleven_labs", b"xi-api-key", b"xi_api_key"],
        "(?:sk_[a-f0-9]{48}|[a-f0-9]{32})",
    ),
    Kind::assigned("cohere-key", "Cohere key", &[b"cohere", b"co_api_key"], "[A-Za-z0-9]{40}").entropy(4.0),
    Kind::assigned("mistral-key", "Mistral key", &[b"mistral"], "[A-Za-z0-9]{32}").entropy(3.8),
    Kind::assigned("deepseek-key", "DeepSeek key", &[b"deepseek"], "sk-[a-f0-9]{32}"),
    Kind::assigned("together-key", "Together AI key", &[b"together"], "[a-f0-9]{64}"),
    Kind::assigned("wandb-key", "Weights & Biases key", &[b"wandb"], "[a-f0-9]{40}"),
    Kind::assigned("stability-key", "Stability AI key", &[b"stability"], "sk-[A-Za-z0-9]{48}").entropy(4.0),
    Kind::assigned("deepgram-key", "Deepgram key", &[b"deepgram"], "[a-f0-9]{40}"),
    Kind::assigned("assemblyai-key", "AssemblyAI key", &[b"assemblyai"], "[a-f0-9]{32}"),
    Kind::assigned("voyage-key", "Voyage AI key", &[b"voyage"], "pa-[A-Za-z0-9_-]{43}").entropy(4.0),
];
