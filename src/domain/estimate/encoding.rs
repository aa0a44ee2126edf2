//! Which of OpenAI's encodings a model's tokens are counted with.

use super::model::Profile;

/// A vocabulary that text is cut into tokens by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Encoding {
    /// GPT-4o, GPT-4.1, GPT-5 and the reasoning models. Also the stand-in for what nobody published.
    O200kBase,
    /// gpt-oss: the same merges, with other special tokens.
    O200kHarmony,
    /// GPT-4, GPT-3.5 and the embedding models of their time.
    Cl100kBase,
    /// `text-davinci-003` and the code models.
    P50kBase,
    /// The editing models of that time.
    P50kEdit,
    /// GPT-3.
    R50kBase,
}

impl Encoding {
    /// Every encoding.
    pub const ALL: [Self; 6] = [
        Self::O200kBase,
        Self::O200kHarmony,
        Self::Cl100kBase,
        Self::P50kBase,
        Self::P50kEdit,
        Self::R50kBase,
    ];

    /// The name that OpenAI gives it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::O200kBase => "o200k_base",
            Self::O200kHarmony => "o200k_harmony",
            Self::Cl100kBase => "cl100k_base",
            Self::P50kBase => "p50k_base",
            Self::P50kEdit => "p50k_edit",
            Self::R50kBase => "r50k_base",
        }
    }

    /// The encoding of a model, or the nearest stand-in for it.
    #[must_use]
    pub fn of(model: &str) -> Self {
        Profile::of(model).encoding
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_models_name_tells_its_encoding_however_it_is_dressed() {
        use Encoding::{Cl100kBase, O200kBase, O200kHarmony, P50kBase, P50kEdit, R50kBase};
        for (model, expected) in [
            ("gpt-4o", O200kBase),
            ("gpt-4o-mini-2024-07-18", O200kBase),
            ("chatgpt-4o-latest", O200kBase),
            ("GPT-4.1-nano", O200kBase),
            ("gpt-4.5-preview", O200kBase),
            ("o1", O200kBase),
            ("o3-mini-2025-01-31", O200kBase),
            ("openai/o4-mini", O200kBase),
            ("gpt-5.2-codex", O200kBase),
            ("codex-mini-latest", O200kBase),
            ("ft:gpt-4o-2024-08-06:acme::9xyz", O200kBase),
            ("ft:gpt-3.5-turbo-0125:acme::9xyz", Cl100kBase),
            ("gpt-4", Cl100kBase),
            ("gpt-4-0613", Cl100kBase),
            ("gpt-4-turbo-2024-04-09", Cl100kBase),
            ("gpt-4-1106-vision-preview", Cl100kBase),
            ("gpt-35-turbo", Cl100kBase),
            ("gpt-3.5-turbo-instruct:20230824-v2", Cl100kBase),
            ("text-embedding-ada-002-v2", Cl100kBase),
            ("text-embedding-3-small", Cl100kBase),
            ("davinci-002", Cl100kBase),
            ("text-davinci-003", P50kBase),
            ("code-davinci-002", P50kBase),
            ("text-davinci-edit-001", P50kEdit),
            ("text-davinci-001", R50kBase),
            ("curie", R50kBase),
            ("openai.gpt-oss-120b-1%3A0", O200kHarmony),
            ("openai/gpt-oss-20b", O200kHarmony),
            ("my-own-deployment", O200kBase),
            ("claude-sonnet-4-6", O200kBase),
            ("", O200kBase),
        ] {
            assert_eq!(Encoding::of(model), expected, "{model}");
        }
    }
}
