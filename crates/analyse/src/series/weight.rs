//! What an answer takes of the memory, and what tells whether it still holds.

use std::mem::{size_of, size_of_val};

use super::points::{OneSeries, PointValue, Series};
use super::query::SeriesQuery;
use super::window::Zone;
use crate::reuse::{Answer, Question};

impl Answer for Series {
    fn version(&self) -> u64 {
        self.version
    }

    fn read_us(&self) -> (i64, i64) {
        self.read_us
    }

    fn bytes(&self) -> usize {
        let series: usize = self.series.iter().map(one).sum();
        let notes: usize = self
            .notes
            .iter()
            .map(|note| note.len() + size_of::<String>())
            .sum();
        size_of::<Self>() + series + notes + size_of_val(self.windows.as_slice())
    }
}

fn one(series: &OneSeries) -> usize {
    let names = series.by.iter().map(|(name, value)| {
        size_of::<(String, Option<String>)>() + name.len() + value.as_ref().map_or(0, String::len)
    });
    let texts = series.points.iter().map(|(_, value)| match value {
        PointValue::Text(text) => text.len(),
        PointValue::Null | PointValue::Int(_) | PointValue::Float(_) => 0,
    });
    size_of::<OneSeries>()
        + names.sum::<usize>()
        + size_of_val(series.points.as_slice())
        + texts.sum::<usize>()
}

impl Question for SeriesQuery {
    fn bytes(&self) -> usize {
        let by = self.by.iter().map(|name| size_of::<String>() + name.len());
        let filters = self
            .filters
            .iter()
            .map(|(name, value)| size_of::<(String, String)>() + name.len() + value.len());
        let zone = match &self.windows.zone {
            Zone::Named(name) | Zone::Dimension(name) => name.len(),
            Zone::Utc => 0,
        };
        size_of::<Self>() + self.metric.len() + zone + by.sum::<usize>() + filters.sum::<usize>()
    }
}
