//! A place in the stream as clients carry it: opaque to them, and worth nothing in another stream.

use baton_shared::protocol::Cursor;

use crate::store::events::Position;

use super::roles::Scope;

/// What a cursor says. It is no secret: whoever forges one only misses events.
pub(super) fn write(stream: &str, scope: Scope, position: Position) -> Cursor {
    Cursor(format!("{stream}.{}.{:x}.{:x}", word(scope), position.xid, position.seq))
}

/// The place, if the cursor is of this stream and was given to somebody who saw as much.
pub(super) fn read(cursor: &Cursor, stream: &str, scope: Scope) -> Option<Position> {
    let mut parts = cursor.0.split('.');
    let (its_stream, its_scope) = (parts.next()?, parts.next()?);
    let (xid, seq) = (number(parts.next()?)?, number(parts.next()?)?);
    let ours = its_stream == stream && its_scope == word(scope) && parts.next().is_none();
    ours.then_some(Position { xid, seq })
}

fn number(text: &str) -> Option<i64> {
    i64::from_str_radix(text, 16).ok().filter(|number| *number >= 0)
}

const fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Everything => "a",
        Scope::Some => "s",
        Scope::Nothing => "n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_comes_back_as_it_went() {
        let position = Position { xid: 77, seq: i64::MAX };
        let cursor = write("ab12", Scope::Everything, position);
        assert_eq!(read(&cursor, "ab12", Scope::Everything), Some(position));
        assert_eq!(read(&cursor, "ab13", Scope::Everything), None);
        assert_eq!(read(&cursor, "ab12", Scope::Nothing), None);
    }

    #[test]
    fn garbage_is_no_place() {
        for garbage in
            ["", ".", "ab12.a", "ab12.a.1", "ab12.a.1.", "ab12.a.1.2.3", "ab12.a.-1.2", "ab12.a.1.zz", "é.a.1.2"]
        {
            assert_eq!(read(&Cursor(garbage.into()), "ab12", Scope::Everything), None, "{garbage}");
        }
        let beyond = format!("ab12.a.1.{}", "f".repeat(40));
        assert_eq!(read(&Cursor(beyond), "ab12", Scope::Everything), None);
    }
}
