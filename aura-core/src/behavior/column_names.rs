//! Columns as builders take them.

/// The names of columns: one, or several.
///
/// # Examples
/// ```
/// use aura_core::behavior::Funnel;
///
/// let funnel = Funnel::steps(["view", "order"]);
/// assert_eq!(funnel.clone().by("plan").by("country"), funnel.by(["plan", "country"]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnNames(pub(super) Vec<String>);

impl From<&str> for ColumnNames {
    fn from(name: &str) -> Self {
        ColumnNames(vec![name.to_owned()])
    }
}

impl From<String> for ColumnNames {
    fn from(name: String) -> Self {
        ColumnNames(vec![name])
    }
}

impl<S: Into<String>> From<Vec<S>> for ColumnNames {
    fn from(names: Vec<S>) -> Self {
        ColumnNames(names.into_iter().map(Into::into).collect())
    }
}

impl<S: Into<String> + Clone> From<&[S]> for ColumnNames {
    fn from(names: &[S]) -> Self {
        names.to_vec().into()
    }
}

impl<S: Into<String>, const N: usize> From<[S; N]> for ColumnNames {
    fn from(names: [S; N]) -> Self {
        ColumnNames(names.into_iter().map(Into::into).collect())
    }
}
