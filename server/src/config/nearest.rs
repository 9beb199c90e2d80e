//! Which known name a misspelt one was meant to be.

/// The candidate with the fewest edits from `name`, if they are few enough to be a slip.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    within(1 + name.chars().count() / 3, name, candidates)
}

/// The candidate with the fewest edits from `name`, at most `allowed`.
pub(super) fn within<'a>(allowed: usize, name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(edits, _)| *edits <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// How many characters have to be put in, taken out or changed.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, l) in left.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, r) in right.iter().enumerate() {
            let change = diagonal + usize::from(l != *r);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_a_stranger_none() {
        let known = ["app_secret", "access_token", "app_id"];
        assert_eq!(nearest("app_secrt", known), Some("app_secret"));
        assert_eq!(nearest("app_di", known), Some("app_id"));
        assert_eq!(nearest("colour", known), None);
    }
}
