//! What is known of a model's tokens: a table, from the most particular name to the least.
//!
//! The constants are measured against recorded replies that say their usage, unless a line names another source.

use super::encoding::Encoding;

/// Whose tokens they are. Names what an estimate can be held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Family {
    /// OpenAI's models: the encoding is the true one.
    OpenAi,
    /// Anthropic's.
    Claude,
    /// Google's.
    Gemini,
    /// Models with a published vocabulary that is not built in.
    Open,
    /// Nothing is known.
    Unknown,
}

/// A factor in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PerMille(pub(super) u32);

impl PerMille {
    /// The factor that changes nothing.
    pub(super) const ONE: Self = Self(1000);

    /// The product, rounded to the nearest token.
    #[must_use]
    pub(super) const fn of(self, tokens: u64) -> u64 {
        tokens.saturating_mul(self.0 as u64).saturating_add(500) / 1000
    }
}

/// What a prompt costs beyond its text, in the model's own tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PromptRule {
    /// The model's tokens for a token of the encoding.
    pub(super) ratio: PerMille,
    /// Once a request.
    pub(super) request: i64,
    /// Once a message, its role included.
    pub(super) message: i64,
    /// Beyond that for each message of the assistant.
    pub(super) assistant: i64,
    /// Beyond its text for each tool call in the history together with its result.
    pub(super) call: i64,
}

/// How tool definitions are put before the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ToolRule {
    /// As a TypeScript namespace, with so many tokens around it; so many fewer if a system message exists. Over the
    /// Responses API they are as many with one as without.
    Namespace {
        fixed: i64,
        beside_system: i64,
        responses: i64,
    },
    /// By their words alone, with so many tokens around each.
    Words { each: i64 },
    /// As JSON, at a factor beside the prompt's, with a hidden instruction; another if a tool must be called.
    Json {
        ratio: PerMille,
        fixed: i64,
        forced: i64,
    },
}

/// How an image is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ImageRule {
    /// Squares of 512 after shrinking to 2048 and a short side of 768.
    Tiles { base: u64, tile: u64 },
    /// Squares of 32, at most so many, at a factor.
    Patches { factor: PerMille, most: u64 },
    /// Squares of 28 after shrinking to a long side and a number of tokens.
    Claude { longest: u64, most: u64 },
    /// 258 a square of 768.
    Gemini,
    /// The same for any image.
    Flat(u64),
}

/// What a reply costs beyond its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReplyRule {
    /// The model's tokens for a token of the encoding.
    pub(super) ratio: PerMille,
    /// Once a choice.
    pub(super) fixed: i64,
    /// Once a tool call that stands alone.
    pub(super) call: i64,
    /// Once, if there are several tool calls.
    pub(super) several: i64,
    /// Beyond that for each of them.
    pub(super) parallel: i64,
    /// Once a reply over the Responses API, instead of `fixed`.
    pub(super) responses: i64,
}

/// Whether a model reasons where nobody sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reasoning {
    /// It does not, or shows all of it.
    Shown,
    /// It does, unless the request forbids it.
    Hidden,
    /// It does where the request asks for it.
    OnRequest,
}

/// A model's rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Profile {
    /// Whose it is.
    pub(super) family: Family,
    /// The encoding that its text is counted with.
    pub(super) encoding: Encoding,
    /// Its prompts.
    pub(super) prompt: PromptRule,
    /// Its tools.
    pub(super) tools: ToolRule,
    /// Its images.
    pub(super) image: ImageRule,
    /// Its replies.
    pub(super) reply: ReplyRule,
    /// Its reasoning.
    pub(super) reasoning: Reasoning,
}

const GPT_4O: Profile = Profile {
    family: Family::OpenAi,
    encoding: Encoding::O200kBase,
    prompt: PromptRule {
        ratio: PerMille::ONE,
        request: 3,
        message: 4,
        assistant: 0,
        call: 8,
    },
    tools: ToolRule::Namespace {
        fixed: 9,
        beside_system: 4,
        responses: 3,
    },
    image: ImageRule::Tiles { base: 85, tile: 170 },
    reply: ReplyRule {
        ratio: PerMille::ONE,
        fixed: 0,
        call: 7,
        several: 12,
        parallel: 8,
        responses: 1,
    },
    reasoning: Reasoning::Shown,
};

const GPT_4O_MINI: Profile = Profile {
    image: ImageRule::Tiles {
        base: 2833,
        tile: 5667,
    },
    ..GPT_4O
};

const GPT_41_MINI: Profile = Profile {
    image: patches(1620),
    ..GPT_4O
};

const GPT_41_NANO: Profile = Profile {
    image: patches(2460),
    ..GPT_4O
};

/// The reasoning models speak the harmony format: a token fewer before the reply, two more for each earlier one.
const GPT_5: Profile = Profile {
    prompt: PromptRule {
        request: 2,
        assistant: 2,
        call: 11,
        ..GPT_4O.prompt
    },
    tools: ToolRule::Namespace {
        fixed: 9,
        beside_system: 4,
        responses: 9,
    },
    image: ImageRule::Tiles { base: 70, tile: 140 },
    reply: ReplyRule {
        fixed: 9,
        call: 7,
        responses: 6,
        ..GPT_4O.reply
    },
    reasoning: Reasoning::Hidden,
    ..GPT_4O
};

/// GPT-5.1 and later reason only where they are asked to.
const GPT_5_LATER: Profile = Profile {
    reply: ReplyRule {
        responses: 4,
        ..GPT_5.reply
    },
    reasoning: Reasoning::OnRequest,
    ..GPT_5
};

const GPT_5_CHAT: Profile = Profile {
    reasoning: Reasoning::Shown,
    ..GPT_5
};

const GPT_5_MINI: Profile = Profile {
    image: patches(1200),
    ..GPT_5
};

const GPT_5_NANO: Profile = Profile {
    image: patches(1500),
    ..GPT_5
};

const O1: Profile = Profile {
    prompt: PromptRule {
        request: 3,
        ..GPT_5.prompt
    },
    image: ImageRule::Tiles { base: 75, tile: 150 },
    ..GPT_5
};

const O3: Profile = Profile {
    image: ImageRule::Tiles { base: 75, tile: 150 },
    ..GPT_5
};

const O4_MINI: Profile = Profile {
    image: patches(1720),
    reply: ReplyRule {
        fixed: 20,
        ..GPT_5.reply
    },
    ..GPT_5
};

/// OpenAI's documented constants.
const COMPUTER_USE: Profile = Profile {
    image: ImageRule::Tiles { base: 65, tile: 129 },
    ..GPT_4O
};

/// Its server puts a system text of its own before every prompt.
const GPT_OSS: Profile = Profile {
    family: Family::Open,
    encoding: Encoding::O200kHarmony,
    prompt: PromptRule {
        request: 63,
        ..GPT_5.prompt
    },
    reasoning: Reasoning::Shown,
    ..GPT_5
};

const GPT_4: Profile = Profile {
    encoding: Encoding::Cl100kBase,
    ..GPT_4O
};

const GPT_4_0613: Profile = Profile {
    reply: ReplyRule {
        call: 4,
        ..GPT_4O.reply
    },
    ..GPT_4
};

const P50K: Profile = Profile {
    encoding: Encoding::P50kBase,
    ..GPT_4O
};

const P50K_EDIT: Profile = Profile {
    encoding: Encoding::P50kEdit,
    ..GPT_4O
};

const R50K: Profile = Profile {
    encoding: Encoding::R50kBase,
    ..GPT_4O
};

/// No tokenizer of Claude's is public: the ratios stand for it.
const fn claude(prompt: u32, reply: u32, fixed: i64, forced: i64) -> Profile {
    Profile {
        family: Family::Claude,
        encoding: Encoding::O200kBase,
        prompt: PromptRule {
            ratio: PerMille(prompt),
            request: 3,
            message: 4,
            assistant: 0,
            call: 20,
        },
        tools: ToolRule::Json {
            ratio: PerMille::ONE,
            fixed,
            forced,
        },
        image: ImageRule::Claude {
            longest: 1568,
            most: 1600,
        },
        reply: ReplyRule {
            ratio: PerMille(reply),
            fixed: 2,
            call: 42,
            several: 0,
            parallel: 38,
            responses: 2,
        },
        reasoning: Reasoning::OnRequest,
    }
}

/// Opus 4.7 and the fifth generation have a vocabulary of their own.
const fn claude_later(fixed: i64) -> Profile {
    Profile {
        image: ImageRule::Claude {
            longest: 2576,
            most: 4784,
        },
        ..claude(1450, 1450, fixed, fixed + 90)
    }
}

const CLAUDE_3_OPUS: Profile = claude(1080, 1180, 540, 540);
const CLAUDE_35_SONNET: Profile = claude(1080, 1140, 315, 400);
const CLAUDE_35_HAIKU: Profile = claude(1080, 1110, 285, 360);
const CLAUDE_3: Profile = claude(1080, 1110, 280, 360);
const CLAUDE_3_SONNET: Profile = claude(1080, 1110, 175, 260);
const CLAUDE_37_SONNET: Profile = claude(1080, 1150, 315, 400);
const CLAUDE_4: Profile = claude(1080, 1090, 315, 400);
const CLAUDE_45: Profile = claude(1080, 1120, 500, 590);
const CLAUDE_46: Profile = claude(1080, 1160, 500, 590);
const CLAUDE_OPUS_5: Profile = claude_later(345);
const CLAUDE_SONNET_5: Profile = claude_later(410);

const fn gemini(request: i64, reply: u32, each: i64, reasoning: Reasoning) -> Profile {
    Profile {
        family: Family::Gemini,
        encoding: Encoding::O200kBase,
        prompt: PromptRule {
            ratio: PerMille(1020),
            request,
            message: 0,
            assistant: 0,
            call: 0,
        },
        tools: ToolRule::Words { each },
        image: ImageRule::Gemini,
        reply: ReplyRule {
            ratio: PerMille(reply),
            fixed: 0,
            call: -2,
            several: 0,
            parallel: -2,
            responses: 0,
        },
        reasoning,
    }
}

const GEMINI_20: Profile = gemini(0, 1070, 8, Reasoning::OnRequest);
const GEMINI_25: Profile = gemini(1, 1020, 38, Reasoning::Hidden);
const GEMINI_25_LITE: Profile = gemini(1, 1020, 38, Reasoning::OnRequest);
const GEMINI_3: Profile = Profile {
    image: ImageRule::Flat(1100),
    ..GEMINI_25
};

const fn open(prompt: u32, reply: u32, request: i64, message: i64) -> Profile {
    Profile {
        family: Family::Open,
        encoding: Encoding::O200kBase,
        prompt: PromptRule {
            ratio: PerMille(prompt),
            request,
            message,
            assistant: 0,
            call: 8,
        },
        tools: ToolRule::Json {
            ratio: PerMille::ONE,
            fixed: 0,
            forced: 0,
        },
        image: ImageRule::Tiles { base: 85, tile: 170 },
        reply: ReplyRule {
            ratio: PerMille(reply),
            fixed: 1,
            call: 12,
            several: 0,
            parallel: 12,
            responses: 1,
        },
        reasoning: Reasoning::Shown,
    }
}

const fn with_tools(profile: Profile, fixed: i64) -> Profile {
    Profile {
        tools: ToolRule::Json {
            ratio: PerMille::ONE,
            fixed,
            forced: fixed,
        },
        ..profile
    }
}

const LLAMA: Profile = open(1020, 1020, 5, 4);
/// Its template names the date.
const LLAMA_33: Profile = open(1020, 1020, 30, 5);
const MISTRAL: Profile = with_tools(open(1050, 1050, 1, 2), 20);
const MISTRAL_TINY: Profile = open(1020, 1220, 1, 3);
const DEEPSEEK: Profile = open(1030, 1030, 1, 2);
const QWEN: Profile = with_tools(open(1050, 1050, 3, 6), 200);
const NOVA: Profile = with_tools(open(1000, 1020, 0, 0), 350);
const GEMMA: Profile = open(1050, 1120, 5, 4);
/// Cohere's templates are long, the longer the newer, and longer still with tools.
const COMMAND: Profile = with_tools(open(1020, 1040, 58, 4), 790);
const COMMAND_R_LATER: Profile = with_tools(open(1000, 1000, 196, 4), 790);
const COMMAND_A: Profile = with_tools(open(1020, 1040, 490, 4), 920);
const PALMYRA: Profile = with_tools(open(1050, 1050, 28, 4), 105);
const VOYAGE: Profile = open(850, 1000, 0, 0);
const SONAR: Profile = open(1000, 1000, 0, 0);
const GROK: Profile = Profile {
    reasoning: Reasoning::Hidden,
    ..open(1000, 1000, 3, 4)
};

const UNKNOWN: Profile = Profile {
    family: Family::Unknown,
    ..open(1050, 1050, 3, 4)
};

const fn patches(factor: u32) -> ImageRule {
    ImageRule::Patches {
        factor: PerMille(factor),
        most: 1536,
    }
}

/// Beginnings of words in a model's name, from the most particular to the least: the first that fits counts.
const TABLE: &[(&str, &Profile)] = &[
    ("gpt-oss", &GPT_OSS),
    ("gpt-5-chat", &GPT_5_CHAT),
    ("gpt-5-mini", &GPT_5_MINI),
    ("gpt-5-nano", &GPT_5_NANO),
    ("gpt-5-", &GPT_5),
    ("gpt-5.", &GPT_5_LATER),
    ("gpt-5", &GPT_5),
    ("gpt-4o-mini", &GPT_4O_MINI),
    ("gpt-4o", &GPT_4O),
    ("chatgpt-4o", &GPT_4O),
    ("gpt-4.1-mini", &GPT_41_MINI),
    ("gpt-4.1-nano", &GPT_41_NANO),
    ("gpt-4.", &GPT_4O),
    ("gpt-4-0613", &GPT_4_0613),
    ("gpt-4", &GPT_4),
    ("gpt-3.5", &GPT_4),
    ("gpt-35", &GPT_4),
    ("gpt-3", &R50K),
    ("gpt2", &R50K),
    ("gpt-2", &R50K),
    ("gpt-", &GPT_4O),
    ("o1", &O1),
    ("o3", &O3),
    ("o4-mini", &O4_MINI),
    ("o4", &O3),
    ("computer-use", &COMPUTER_USE),
    ("codex", &GPT_5),
    ("text-embedding", &GPT_4),
    ("text-davinci-edit", &P50K_EDIT),
    ("code-davinci-edit", &P50K_EDIT),
    ("text-davinci-002", &P50K),
    ("text-davinci-003", &P50K),
    ("code-davinci", &P50K),
    ("code-cushman", &P50K),
    ("text-davinci", &R50K),
    ("davinci-002", &GPT_4),
    // The same, by the name that its replies have.
    ("davinci:2023", &GPT_4),
    ("babbage-002", &GPT_4),
    ("davinci", &R50K),
    ("curie", &R50K),
    ("babbage", &R50K),
    ("ada", &R50K),
    ("claude-3-opus", &CLAUDE_3_OPUS),
    ("claude-3-5-haiku", &CLAUDE_35_HAIKU),
    ("claude-3-7", &CLAUDE_37_SONNET),
    ("claude-3-5", &CLAUDE_35_SONNET),
    ("claude-3-sonnet", &CLAUDE_3_SONNET),
    ("claude-3", &CLAUDE_3),
    ("claude-2", &CLAUDE_3),
    ("claude-v2", &CLAUDE_3),
    ("claude-instant", &CLAUDE_3),
    ("claude-opus-4-7", &CLAUDE_OPUS_5),
    ("claude-opus-4-8", &CLAUDE_OPUS_5),
    ("claude-opus-4-9", &CLAUDE_OPUS_5),
    ("claude-opus-4-6", &CLAUDE_46),
    ("claude-sonnet-4-6", &CLAUDE_46),
    ("claude-opus-4-5", &CLAUDE_45),
    ("claude-sonnet-4-5", &CLAUDE_45),
    ("claude-haiku-4-5", &CLAUDE_45),
    ("claude-sonnet-4", &CLAUDE_4),
    ("claude-opus-4", &CLAUDE_4),
    ("claude-sonnet-5", &CLAUDE_SONNET_5),
    ("claude-haiku-5", &CLAUDE_SONNET_5),
    ("claude-opus-5", &CLAUDE_OPUS_5),
    ("claude-fable-5", &CLAUDE_OPUS_5),
    ("claude", &CLAUDE_46),
    ("gemini-1", &GEMINI_20),
    ("gemini-2.0", &GEMINI_20),
    ("gemini-2.5-flash-lite", &GEMINI_25_LITE),
    ("gemini-2.5", &GEMINI_25),
    ("gemini-3", &GEMINI_3),
    ("gemini-embedding", &GEMINI_20),
    ("gemini", &GEMINI_3),
    ("gemma", &GEMMA),
    ("llama-3.3", &LLAMA_33),
    ("llama3-3", &LLAMA_33),
    ("llama3.3", &LLAMA_33),
    ("llama-3.1", &LLAMA_33),
    ("llama3.1", &LLAMA_33),
    ("llama-3.2", &LLAMA_33),
    ("llama3.2", &LLAMA_33),
    ("llama3-1", &LLAMA_33),
    ("llama3-2", &LLAMA_33),
    ("llama", &LLAMA),
    ("meta-llama", &LLAMA),
    ("mistral-tiny", &MISTRAL_TINY),
    ("mistral-7b", &MISTRAL_TINY),
    ("open-mistral-7b", &MISTRAL_TINY),
    ("mixtral", &MISTRAL_TINY),
    ("mistral", &MISTRAL),
    ("ministral", &MISTRAL),
    ("magistral", &MISTRAL),
    ("codestral", &MISTRAL),
    ("devstral", &MISTRAL),
    ("voxtral", &MISTRAL),
    ("pixtral", &MISTRAL),
    ("deepseek", &DEEPSEEK),
    ("qwen", &QWEN),
    ("qwq", &QWEN),
    ("nova", &NOVA),
    ("sonar", &SONAR),
    ("grok", &GROK),
    ("command-a", &COMMAND_A),
    ("command-r7b", &COMMAND_A),
    ("command-r-08", &COMMAND_R_LATER),
    ("command-r-plus-08", &COMMAND_R_LATER),
    ("command", &COMMAND),
    ("palmyra", &PALMYRA),
    ("voyage", &VOYAGE),
    ("rerank-2", &VOYAGE),
];

impl Profile {
    /// The rules of a model, by its name as the provider or the client writes it: with a publisher before it, as a
    /// fine-tune, with a date, or as a deployment's name that holds a model's.
    #[must_use]
    pub(super) fn of(model: &str) -> &'static Self {
        // Claude's and OpenAI's generations are also written with a dash or a dot, as in `claude-3.5`, `opus-4.8`.
        let mut name = model.to_ascii_lowercase();
        if name.contains("claude") {
            name = name.replace('.', "-");
        }
        let fits = |needle: &str| {
            name.match_indices(needle).any(|(at, _)| {
                name.get(..at)
                    .and_then(|before| before.chars().next_back())
                    .is_none_or(|before| !before.is_alphanumeric())
            })
        };
        TABLE
            .iter()
            .find(|(needle, _)| fits(needle))
            .map_or(&UNKNOWN, |(_, profile)| profile)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_inside_a_word_is_no_model() {
        assert_eq!(Profile::of("canada-hosted").family, Family::Unknown);
        assert_eq!(Profile::of("foo3").family, Family::Unknown);
        assert_eq!(
            Profile::of("bedrock/us.anthropic.claude-3-5-haiku-20241022-v1:0"),
            &CLAUDE_35_HAIKU
        );
        assert_eq!(Profile::of("claude-opus-4.8"), &CLAUDE_OPUS_5);
        assert_eq!(Profile::of("accounts/x/models/Llama-3.3-70B"), &LLAMA_33);
        assert_eq!(Profile::of("gpt-5.5-2026-04-23").reasoning, Reasoning::OnRequest);
    }

    #[test]
    fn factors_round_to_the_nearest_token_and_never_wrap() {
        assert_eq!(PerMille(1120).of(100), 112);
        assert_eq!(PerMille(1500).of(1), 2);
        assert_eq!(PerMille(2000).of(u64::MAX), u64::MAX / 1000);
    }
}
