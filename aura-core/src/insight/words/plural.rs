//! Plural forms of whole numbers.

use super::Language;

/// The forms of a noun: of English one and other, of Russian one, few and many.
pub(crate) struct Forms {
    pub(crate) en: [&'static str; 2],
    pub(crate) ru: [&'static str; 3],
}

impl Forms {
    /// Returns the form for a whole number, by the cardinal rules of CLDR: Russian has *one* for 1, 21, 31 … but not 11, *few* for
    /// 2–4, 22–24 … but not 12–14, and *many* for all other whole numbers.
    pub(crate) fn of(&self, n: u64, language: Language) -> &'static str {
        let (tens, ones) = (n % 100, n % 10);
        match language {
            Language::En => self.en[usize::from(n != 1)],
            Language::Ru if ones == 1 && tens != 11 => self.ru[0],
            Language::Ru if (2..=4).contains(&ones) && !(12..=14).contains(&tens) => self.ru[1],
            Language::Ru => self.ru[2],
        }
    }
}
