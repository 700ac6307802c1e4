//! The page, in blocks.

use std::path::{Path, PathBuf};

pub const SERVICES: &str = include_str!("../../docs/services.md");

/// What stands between two fences.
pub struct Block {
    /// `sh`, `toml`, `json`, `text` or `rust`.
    pub language: &'static str,
    pub text: String,
    /// The heading (`##`) that it stands under.
    pub section: &'static str,
    /// The last line before it that is not empty.
    pub before: &'static str,
}

impl Block {
    /// The file of `examples/services` that it is said to be: the line before it begins with
    /// its name.
    pub fn file(&self) -> Option<&'static str> {
        let (name, _) = self.before.strip_prefix('`')?.split_once('`')?;
        folder().join(name).is_file().then_some(name)
    }
}

/// All blocks, in order.
pub fn blocks() -> Vec<Block> {
    let mut blocks = Vec::new();
    let (mut section, mut before) = ("", "");
    let mut lines = SERVICES.lines();
    while let Some(line) = lines.next() {
        if let Some(heading) = line.strip_prefix("## ") {
            section = heading;
        }
        if let Some(language) = line.strip_prefix("```") {
            let body: Vec<_> = lines.by_ref().take_while(|line| *line != "```").collect();
            blocks.push(Block {
                language,
                text: body.join("\n") + "\n",
                section,
                before,
            });
        } else if !line.is_empty() {
            before = line;
        }
    }
    blocks
}

pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/services")
}
