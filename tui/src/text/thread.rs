//! Which rows of a long thread are on the screen, without laying the others out.

/// Where a thread is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Anchor {
    /// At its end, and it stays there when something is added.
    #[default]
    Bottom,
    /// With row `row` of item `item` on top; nothing that happens below moves it.
    Top { item: usize, row: usize },
}

/// What can be seen of one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part {
    pub item: usize,
    /// Rows of it that lie above the viewport.
    pub skip: usize,
    /// Rows of it that are seen; at least 1.
    pub rows: usize,
    /// The viewport's row at which it starts.
    pub y: usize,
}

/// The visible parts of `count` items, from the top. `height` is asked for few more items than are
/// seen. A thread that is shorter than the viewport starts at its top; a `Top` that would leave
/// rows empty is treated as `Bottom`.
pub fn parts(anchor: Anchor, count: usize, viewport: usize, height: &mut impl FnMut(usize) -> usize) -> Vec<Part> {
    if let Anchor::Top { item, row } = anchor {
        let (parts, filled) = downwards(item, row, count, viewport, height);
        if filled {
            return parts;
        }
    }
    let (item, row) = top_of_bottom(count, viewport, height);
    downwards(item, row, count, viewport, height).0
}

/// The anchor `by` rows further down, or up if negative; `Bottom` once the end is seen.
pub fn scrolled(
    anchor: Anchor,
    by: isize,
    count: usize,
    viewport: usize,
    height: &mut impl FnMut(usize) -> usize,
) -> Anchor {
    let Some(first) = parts(anchor, count, viewport, height).first().copied() else { return Anchor::Bottom };
    let (item, row) = moved(first.item, first.skip, by, count, height);
    if reaches_beyond(item, row, count, viewport, height) { Anchor::Top { item, row } } else { Anchor::Bottom }
}

/// Whether there is more below than the viewport holds.
fn reaches_beyond(
    item: usize,
    row: usize,
    count: usize,
    viewport: usize,
    height: &mut impl FnMut(usize) -> usize,
) -> bool {
    let mut below = 0_usize;
    (item..count).any(|index| {
        below += height(index);
        below > viewport + row
    })
}

fn moved(
    mut item: usize,
    row: usize,
    by: isize,
    count: usize,
    height: &mut impl FnMut(usize) -> usize,
) -> (usize, usize) {
    let mut row = if by < 0 {
        let mut above = by.unsigned_abs();
        let mut row = row;
        while above > row && item > 0 {
            above -= row;
            item -= 1;
            row = height(item);
        }
        row.saturating_sub(above)
    } else {
        row.saturating_add(by.unsigned_abs())
    };
    while item < count {
        let rows = height(item);
        if row < rows {
            break;
        }
        row -= rows;
        item += 1;
    }
    (item, row)
}

/// Item and row on top when the last row is at the bottom.
fn top_of_bottom(count: usize, viewport: usize, height: &mut impl FnMut(usize) -> usize) -> (usize, usize) {
    let mut used = 0;
    for item in (0..count).rev() {
        used += height(item);
        if used >= viewport {
            return (item, used - viewport);
        }
    }
    (0, 0)
}

fn downwards(
    item: usize,
    row: usize,
    count: usize,
    viewport: usize,
    height: &mut impl FnMut(usize) -> usize,
) -> (Vec<Part>, bool) {
    let (mut parts, mut y, mut skip) = (Vec::new(), 0, row);
    for item in item..count {
        if y >= viewport {
            break;
        }
        let all = height(item);
        let rows = all.saturating_sub(skip).min(viewport - y);
        if rows > 0 {
            parts.push(Part { item, skip, rows, y });
        }
        y += rows;
        skip = skip.saturating_sub(all);
    }
    (parts, y >= viewport)
}

/// Heights of all items with their running sums, for a scroll bar and for jumps: every question is
/// answered in O(log n). What was not laid out yet stands here with an estimate.
#[derive(Clone, Debug, Default)]
pub struct Heights {
    heights: Vec<u32>,
    /// A Fenwick tree: entry `i` holds the sum of the `lowest_bit(i + 1)` heights up to `i`.
    sums: Vec<usize>,
}

impl Heights {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn len(&self) -> usize {
        self.heights.len()
    }

    pub fn is_empty(&self) -> bool {
        self.heights.is_empty()
    }

    pub fn push(&mut self, height: usize) {
        let index = self.heights.len();
        let first = index + 1 - lowest_bit(index + 1);
        let before = self.start_of(index) - self.start_of(first);
        self.heights.push(saturating(height));
        self.sums.push(before + height);
    }

    /// Puts the height of item `index` right; `index` must be there.
    pub fn set(&mut self, index: usize, height: usize) {
        let Some(old) = self.heights.get_mut(index) else { return };
        let before = std::mem::replace(old, saturating(height)) as usize;
        let mut at = index + 1;
        while at <= self.sums.len() {
            self.sums[at - 1] = self.sums[at - 1] + height - before;
            at += lowest_bit(at);
        }
    }

    /// Items before `index`, as when history is loaded or a late message finds its place: O(n).
    pub fn insert(&mut self, index: usize, heights: impl IntoIterator<Item = usize>) {
        let index = index.min(self.heights.len());
        let tail = self.heights.split_off(index);
        self.sums.truncate(index);
        heights.into_iter().for_each(|height| self.push(height));
        tail.into_iter().for_each(|height| self.push(height as usize));
    }

    pub fn truncate(&mut self, length: usize) {
        self.heights.truncate(length);
        self.sums.truncate(length);
    }

    /// Rows of all items together.
    pub fn total(&self) -> usize {
        self.start_of(self.len())
    }

    /// Rows above item `index`.
    pub fn start_of(&self, index: usize) -> usize {
        let (mut at, mut sum) = (index.min(self.len()), 0);
        while at > 0 {
            sum += self.sums[at - 1];
            at -= lowest_bit(at);
        }
        sum
    }

    /// The item that row `row` of the whole belongs to, and which row of it; `None` beyond the end.
    pub fn find(&self, row: usize) -> Option<(usize, usize)> {
        let (mut at, mut rest) = (0, row);
        let mut step = self.len().checked_ilog2().map_or(0, |bit| 1_usize << bit);
        while step > 0 {
            if at + step <= self.len() && self.sums[at + step - 1] <= rest {
                at += step;
                rest -= self.sums[at - 1];
            }
            step /= 2;
        }
        (at < self.len()).then_some((at, rest))
    }
}

fn lowest_bit(number: usize) -> usize {
    number & number.wrapping_neg()
}

fn saturating(height: usize) -> u32 {
    u32::try_from(height).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_bottom_shows_the_last_rows() {
        let heights = [3, 2, 4];
        let parts = parts(Anchor::Bottom, 3, 5, &mut |item| heights[item]);
        assert_eq!(parts, [Part { item: 1, skip: 1, rows: 1, y: 0 }, Part { item: 2, skip: 0, rows: 4, y: 1 }]);
    }

    #[test]
    fn a_short_thread_starts_at_the_top() {
        let parts = parts(Anchor::Bottom, 2, 9, &mut |_| 2);
        assert_eq!(parts, [Part { item: 0, skip: 0, rows: 2, y: 0 }, Part { item: 1, skip: 0, rows: 2, y: 2 }]);
        assert_eq!(scrolled(Anchor::Bottom, -3, 2, 9, &mut |_| 2), Anchor::Bottom);
    }

    #[test]
    fn scrolling_up_leaves_the_bottom_and_down_finds_it() {
        let height = &mut |_| 3;
        let up = scrolled(Anchor::Bottom, -4, 100, 10, height);
        assert_eq!(up, Anchor::Top { item: 95, row: 1 });
        assert_eq!(scrolled(up, 4, 100, 10, height), Anchor::Bottom);
        assert_eq!(scrolled(up, -10_000, 100, 10, height), Anchor::Top { item: 0, row: 0 });
        assert_eq!(scrolled(Anchor::Bottom, -1, 0, 10, height), Anchor::Bottom);
    }

    #[test]
    fn few_items_are_measured_in_a_long_thread() {
        let mut asked = 0;
        let parts = parts(Anchor::Bottom, 1_000_000, 70, &mut |_| {
            asked += 1;
            3
        });
        assert_eq!(parts.len(), 24);
        assert!(asked <= 50, "{asked}");
    }

    proptest! {
        #[test]
        fn parts_are_rows_in_order(heights in prop::collection::vec(0_usize..6, 0..30), viewport in 1_usize..20,
            item in 0_usize..40, row in 0_usize..8, by in -40_isize..40) {
            let all: Vec<(usize, usize)> =
                heights.iter().enumerate().flat_map(|(item, rows)| (0..*rows).map(move |row| (item, row))).collect();
            let height = &mut |item: usize| heights[item];
            let anchor = scrolled(Anchor::Top { item, row }, by, heights.len(), viewport, height);
            for anchor in [anchor, Anchor::Bottom, Anchor::Top { item, row }] {
                let parts = parts(anchor, heights.len(), viewport, height);
                let seen: Vec<(usize, usize)> =
                    parts.iter().flat_map(|part| (part.skip..part.skip + part.rows).map(|row| (part.item, row))).collect();
                prop_assert_eq!(seen.len(), viewport.min(all.len()));
                prop_assert!(all.windows(seen.len().max(1)).any(|window| window == seen) || seen.is_empty());
                if anchor == Anchor::Bottom {
                    prop_assert!(all.ends_with(&seen));
                }
            }
        }

        #[test]
        fn sums_agree_with_counting(mut heights in prop::collection::vec(0_usize..9, 0..50), at in 0_usize..60, more in prop::collection::vec(0_usize..9, 0..5), set in (0_usize..60, 0_usize..9)) {
            let mut sums = Heights::new();
            heights.iter().for_each(|height| sums.push(*height));
            let at = at.min(heights.len());
            sums.insert(at, more.clone());
            heights.splice(at..at, more);
            if let Some(height) = heights.get_mut(set.0) {
                *height = set.1;
            }
            sums.set(set.0, set.1);
            prop_assert_eq!(sums.total(), heights.iter().sum::<usize>());
            let mut row = 0;
            for (item, height) in heights.iter().enumerate() {
                prop_assert_eq!(sums.start_of(item), row);
                for within in 0..*height {
                    prop_assert_eq!(sums.find(row + within), Some((item, within)));
                }
                row += height;
            }
            prop_assert_eq!(sums.find(row), None);
        }
    }
}
