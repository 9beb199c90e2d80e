use proptest::prelude::*;

use super::*;

const ZONES: [&str; 8] = [
    "UTC",
    "Europe/Lisbon",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    // Put forward by half an hour.
    "Australia/Lord_Howe",
    // The clock was put back at midnight there.
    "America/Havana",
    "Asia/Kathmandu",
];

fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap()
}

fn at(text: &str) -> Micros {
    micros(text.parse::<jiff::Timestamp>().unwrap())
}

fn spans(list: &[(u16, u16)]) -> Vec<Span> {
    list.iter().map(|&(from, to)| Span { from, to }).collect()
}

fn every_day(zone_name: &str, list: &[(u16, u16)]) -> Hours {
    Hours { zone: zone(zone_name), week: std::array::from_fn(|_| spans(list)), days: BTreeMap::new() }
}

#[test]
fn a_week_with_a_break_a_holiday_and_an_extra_day() {
    let work = spans(&[(540, 780), (840, 1_080)]);
    let mut hours = every_day("Europe/Lisbon", &[]);
    hours.week[..5].fill(work);
    hours.days.insert("2026-12-25".parse().unwrap(), Vec::new());
    hours.days.insert("2026-12-27".parse().unwrap(), spans(&[(600, 720)]));
    let open = |until| Opening::Open { until: Some(at(until)) };
    let closed = |until| Opening::Closed { until: Some(at(until)) };
    // Thursday.
    assert_eq!(hours.at(at("2026-12-24T08:59:59Z")), closed("2026-12-24T09:00:00Z"));
    assert_eq!(hours.at(at("2026-12-24T09:00:00Z")), open("2026-12-24T13:00:00Z"));
    assert_eq!(hours.at(at("2026-12-24T13:00:00Z")), closed("2026-12-24T14:00:00Z"));
    // Christmas on a Friday, a Saturday, and a Sunday that is an extra day.
    assert_eq!(hours.at(at("2026-12-24T18:00:00Z")), closed("2026-12-27T10:00:00Z"));
    assert_eq!(hours.at(at("2026-12-27T12:00:00Z")), closed("2026-12-28T09:00:00Z"));
}

#[test]
fn an_hour_that_is_skipped_is_never_open_and_one_that_comes_twice_is_open_twice() {
    let night = every_day("Europe/Berlin", &[(120, 180)]);
    // 2:00 becomes 3:00 on 29 March 2026: that day has no hour for them.
    assert_eq!(night.at(at("2026-03-29T00:30:00Z")), Opening::Closed { until: Some(at("2026-03-30T00:00:00Z")) });
    // 3:00 becomes 2:00 again on 25 October 2026.
    assert_eq!(night.at(at("2026-10-25T00:00:00Z")), Opening::Open { until: Some(at("2026-10-25T02:00:00Z")) });
    let half = every_day("Europe/Berlin", &[(120, 150)]);
    assert_eq!(half.at(at("2026-10-25T00:00:00Z")), Opening::Open { until: Some(at("2026-10-25T00:30:00Z")) });
    assert_eq!(half.at(at("2026-10-25T00:30:00Z")), Opening::Closed { until: Some(at("2026-10-25T01:00:00Z")) });
    assert_eq!(half.at(at("2026-10-25T01:00:00Z")), Opening::Open { until: Some(at("2026-10-25T01:30:00Z")) });
}

#[test]
fn what_never_changes_says_so() {
    let now = at("2026-06-01T12:00:00Z");
    assert_eq!(every_day("Europe/Berlin", &[(0, 1_440)]).at(now), Opening::Open { until: None });
    assert_eq!(every_day("Europe/Berlin", &[]).at(now), Opening::Closed { until: None });
    for far in [Micros(i64::MIN), Micros::ZERO, Micros::MAX] {
        every_day("Europe/Berlin", &[(540, 1_080)]).at(far);
    }
}

/// Up to three spans, in order, on whole quarters.
fn day() -> impl Strategy<Value = Vec<Span>> {
    proptest::collection::btree_set(0_u16..=96, 0..=6).prop_map(|marks| {
        let marks: Vec<u16> = marks.into_iter().map(|mark| mark * 15).collect();
        marks.chunks_exact(2).map(|pair| Span { from: pair[0], to: pair[1] }).collect()
    })
}

fn hours() -> impl Strategy<Value = Hours> {
    let days = proptest::collection::btree_map(0_i64..30, day(), 0..4);
    (0..ZONES.len(), proptest::array::uniform7(day()), days).prop_map(|(name, week, days)| {
        let first: Date = "2026-10-20".parse().unwrap();
        let days = days.into_iter().map(|(day, spans)| (first.checked_add(day.days()).unwrap(), spans)).collect();
        Hours { zone: zone(ZONES[name]), week, days }
    })
}

/// Minutes around the days on which these zones change their clocks, and some others.
fn moment() -> impl Strategy<Value = Micros> {
    let starts = [
        "2026-03-07T00:00:00Z",
        "2026-03-28T00:00:00Z",
        "2026-04-04T00:00:00Z",
        "2026-10-03T00:00:00Z",
        "2026-10-24T00:00:00Z",
        "2026-10-31T00:00:00Z",
        "2026-12-30T00:00:00Z",
    ];
    (0..starts.len(), 0_u64..4 * 24 * 60)
        .prop_map(move |(start, minute)| at(starts[start]).plus(Duration::from_secs(minute * 60)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..ProptestConfig::default() })]

    /// Minute by minute nothing changes before the moment that is named, and then it does.
    #[test]
    fn the_next_change_is_the_next_change(hours in hours(), now in moment()) {
        let (is_open, until) = match hours.at(now) {
            Opening::Open { until } => (true, until),
            Opening::Closed { until } => (false, until),
        };
        prop_assert_eq!(is_open, hours.is_open(now));
        let end = until.unwrap_or_else(|| now.plus(Duration::from_secs(20 * 24 * 3_600)));
        if let Some(until) = until {
            prop_assert!(until > now);
            prop_assert_ne!(hours.is_open(until), is_open);
        }
        let mut minute = now;
        // A few days show what a month would.
        for _ in 0..6 * 24 * 60 {
            if minute >= end {
                break;
            }
            prop_assert_eq!(hours.is_open(minute), is_open, "at {} of {}", minute, end);
            minute = minute.plus(Duration::from_secs(60));
        }
    }

    /// What the wall shows is all that counts.
    #[test]
    fn it_is_open_whenever_the_wall_says_so(hours in hours(), now in moment()) {
        let local = hours.local(now);
        let minute = u16::try_from(i16::from(local.hour()) * 60 + i16::from(local.minute())).unwrap();
        let listed = hours.days.get(&local.date());
        let day = usize::try_from(local.date().weekday().to_monday_zero_offset()).unwrap();
        let spans = listed.unwrap_or(&hours.week[day]);
        prop_assert_eq!(hours.is_open(now), spans.iter().any(|span| (span.from..span.to).contains(&minute)));
    }
}
