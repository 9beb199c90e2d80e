//! The shape in which an answer is asked for, and the way back from what a model really wrote.

use serde_json::{Map, Value};

use super::{Written, reply::object_in};

/// A shape, and what an answer becomes that has it.
pub struct Shape<T> {
    schema: Value,
    read: Read<T>,
}

type Read<T> = Box<dyn Fn(&Map<String, Value>) -> Option<T> + Send + Sync>;

impl<T> Shape<T> {
    /// `schema` is an object's, `read` takes what fits and says `None` to what cannot be used.
    pub fn new(schema: Value, read: impl Fn(&Map<String, Value>) -> Option<T> + Send + Sync + 'static) -> Self {
        Self { schema, read: Box::new(read) }
    }

    pub(super) const fn schema(&self) -> &Value {
        &self.schema
    }

    pub(super) fn understand(&self, written: &Written) -> Option<T> {
        match written {
            Written::Text(text) => (self.read)(&object_in(text)?),
            Written::Object(object) => (self.read)(object),
        }
    }
}
