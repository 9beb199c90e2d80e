//! An object's fields: all in their order, or those that were asked for.

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::error::GraphError;

/// An object whose keys keep their order.
pub(super) struct Fields(pub(super) Vec<(&'static str, Json)>);

impl Fields {
    /// `id` always, then what `asked` (comma-separated) names; without `asked` the first `by_default`.
    pub(super) fn select(self, asked: Option<&str>, by_default: usize, node: &str) -> Result<Self, GraphError> {
        let Some(asked) = asked else {
            return Ok(Self(self.0.into_iter().take(by_default).collect()));
        };
        let names: Vec<&str> = asked.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
        let is_known = |name: &str| self.0.iter().any(|(known, _)| *known == name);
        match names.iter().find(|name| !is_known(name)) {
            Some(unknown) => Err(GraphError::no_field(unknown, node)),
            None => Ok(Self(self.0.into_iter().filter(|(name, _)| *name == "id" || names.contains(name)).collect())),
        }
    }
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}
