//! An object's fields: all in their order, or those that were asked for.

use serde::{Serialize, Serializer};
use serde_json::Value as Json;

use super::error::GraphError;

/// An object whose keys keep their order.
pub(super) struct Fields(pub(super) Vec<(&'static str, Json)>);

impl Fields {
    /// What `asked` (comma-separated) names, in that order, and `id` at the end if it is not among them;
    /// without `asked` the first `by_default`. What exists but has no value is left out, as `empty` names it.
    pub(super) fn select(
        self,
        asked: Option<&str>,
        by_default: usize,
        empty: &[&str],
        node: &str,
    ) -> Result<Self, GraphError> {
        let Some(asked) = asked else {
            return Ok(Self(self.0.into_iter().take(by_default).collect()));
        };
        let names = names(asked);
        let place = |name: &str| self.0.iter().position(|(known, _)| *known == name);
        if let Some(unknown) = names.iter().find(|name| place(name).is_none() && !empty.contains(name)) {
            return Err(GraphError::no_field(unknown, node));
        }
        let id = Some("id").filter(|id| !names.contains(id));
        let places: Vec<usize> = names.into_iter().chain(id).filter_map(place).collect();
        Ok(Self(places.into_iter().map(|place| self.0[place].clone()).collect()))
    }
}

/// The names in a list of fields; what stands behind one in brackets or after a dot asks more of it.
fn names(asked: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let parts = asked.split(|c: char| {
        depth = match c {
            '(' | '[' | '{' => depth + 1,
            ')' | ']' | '}' => depth.saturating_sub(1),
            _ => depth,
        };
        c == ',' && depth == 0
    });
    let name = |part: &'_ str| part.find(['.', '(', '{']).unwrap_or(part.len());
    parts.map(|part| part[..name(part)].trim()).filter(|name| !name.is_empty()).collect()
}

impl Serialize for Fields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_of_a_field_is_not_its_name() {
        let asked = "id, analytics.start(1).end(2),pricing.dimensions([\"A\",\"B\"]),owner{id,name},";
        assert_eq!(names(asked), ["id", "analytics", "pricing", "owner"]);
    }
}
