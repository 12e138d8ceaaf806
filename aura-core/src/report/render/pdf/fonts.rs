//! The fonts of PDF files: those that come with Typst, and the caller's before them. Never those of the machine, on which results
//! would depend.

use std::path::PathBuf;
use std::sync::LazyLock;

use typst::foundations::Bytes;
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;

use crate::{Error, Result};

/// Read once: Latin, Cyrillic and Greek, for text and for code.
static BUILT_IN: LazyLock<Vec<Font>> = LazyLock::new(|| {
    typst_assets::fonts()
        .flat_map(|data| Font::iter(Bytes::new(data)))
        .collect()
});

/// The family of text where the caller gives none.
const TEXT: &str = "Libertinus Serif";
/// What may stand in: it has signs that the other has not.
const SIGNS: &str = "DejaVu Sans Mono";

pub(super) struct Fonts {
    book: LazyHash<FontBook>,
    fonts: Vec<Font>,
    families: Vec<String>,
}

impl Fonts {
    pub(super) fn with(files: &[PathBuf]) -> Result<Fonts> {
        let mut fonts = Vec::new();
        let mut families: Vec<String> = Vec::new();
        for path in files {
            let data = std::fs::read(path).map_err(|e| {
                Error::io(
                    format_args!("cannot read the fonts in {}", path.display()),
                    e,
                )
            })?;
            let before = fonts.len();
            fonts.extend(Font::iter(Bytes::new(data)));
            let found = fonts.get(before..).unwrap_or_default();
            if found.is_empty() {
                return Err(Error::invalid_spec(format!(
                    "pdf_fonts: {} has no font; give files of TrueType or OpenType",
                    path.display()
                )));
            }
            for font in found {
                let family = &font.info().family;
                if !families.contains(family) {
                    families.push(family.clone());
                }
            }
        }
        families.extend([TEXT.to_owned(), SIGNS.to_owned()]);
        fonts.extend(BUILT_IN.iter().cloned());
        Ok(Fonts {
            book: LazyHash::new(FontBook::from_fonts(&fonts)),
            fonts,
            families,
        })
    }

    pub(super) fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    pub(super) fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    /// The families of text, the caller's first.
    pub(super) fn families(&self) -> &[String] {
        &self.families
    }
}
