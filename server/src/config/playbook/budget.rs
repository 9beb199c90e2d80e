//! `[budget]`: what may be spent on models.

use super::super::{error::ConfigError, source::Section};
use crate::domain::money::{Budget, Nanos};

pub(super) fn read(section: &Section<'_>) -> Result<Budget, ConfigError> {
    let dollars = |key| section.parse(key, "dollars, such as \"0.50\"", Nanos::dollars);
    let budget = Budget { customer_day: dollars("customer_per_day")?, channel_month: dollars("number_per_month")? };
    section.finish()?;
    Ok(budget)
}
