//! What a forecast takes of the memory, and what tells whether it still holds.

use std::mem::{size_of, size_of_val};

use super::question::Question;
use super::{Forecast, Outlook, SliceForecast};
use crate::reuse;

impl reuse::Answer for Forecast {
    fn version(&self) -> u64 {
        self.version
    }

    fn read_us(&self) -> (i64, i64) {
        self.read_us
    }

    fn bytes(&self) -> usize {
        let notes = (self.notes.iter()).map(|note| size_of::<String>() + note.len());
        size_of::<Self>() + notes.sum::<usize>() + self.slices.iter().map(slice).sum::<usize>()
    }
}

fn slice(slice: &SliceForecast) -> usize {
    let names = slice.by.iter().map(|(name, value)| {
        size_of::<(String, Option<String>)>() + name.len() + value.as_ref().map_or(0, String::len)
    });
    let outlook = match &slice.outlook {
        Outlook::Learning { .. } => 0,
        Outlook::Ready(expected) => {
            size_of_val(expected.periods_us.as_slice())
                + size_of_val(expected.methods.as_slice())
                + size_of_val(expected.points.as_slice())
        }
    };
    size_of::<SliceForecast>() + names.sum::<usize>() + outlook
}

impl reuse::Question for Question {
    fn bytes(&self) -> usize {
        let by = self.by.iter().map(|name| size_of::<String>() + name.len());
        let filters = (self.filters.iter())
            .map(|(name, value)| size_of::<(String, String)>() + name.len() + value.len());
        size_of::<Self>() + self.metric.len() + by.sum::<usize>() + filters.sum::<usize>()
    }
}
