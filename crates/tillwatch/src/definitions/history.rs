//! Where the history tables are.

use std::collections::BTreeMap;

use reqwest::Url;

use super::fault::Fault;
use super::folder::Folder;
use super::resolve::Environment;

/// A place on an object store, with its settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryPlace {
    /// The bucket and the folder in it.
    pub url: Url,
    /// Settings of the store, by their names.
    pub options: BTreeMap<String, String>,
}

/// The place as written, with what the environment says; none when history is in the data folder.
pub fn place(
    folder: &Folder,
    environment: Environment<'_>,
    faults: &mut Vec<Fault>,
) -> Option<HistoryPlace> {
    let item = folder.history.as_ref()?;
    let url = match Url::parse(&item.value.url) {
        Ok(url) if url.scheme() == "s3" && url.host_str().is_some() => Some(url),
        Ok(url) => {
            let message = format!("there is no store for '{}'", url.scheme());
            faults.push(unfit(folder, item.file, message));
            None
        }
        Err(error) => {
            faults.push(unfit(folder, item.file, format!("is no URL: {error}")));
            None
        }
    };
    let mut options = BTreeMap::new();
    for (name, value) in &item.value.options {
        let value = match value.strip_prefix("env:") {
            None => value.clone(),
            Some(variable) => match environment(variable) {
                Some(value) => value,
                None => {
                    let path = ["history", "options", name.as_str()];
                    let message = format!("the environment variable {variable} is not set");
                    faults.push(folder.fault(item.file, &path, message));
                    continue;
                }
            },
        };
        options.insert(name.clone(), value);
    }
    Some(HistoryPlace { url: url?, options })
}

fn unfit(folder: &Folder, file: usize, message: String) -> Fault {
    let hint = "write s3://bucket/folder, or leave the section out for the data folder";
    folder
        .fault(file, &["history", "url"], message)
        .suggest(Some(hint.to_owned()))
}
