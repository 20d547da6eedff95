//! The `.slt` files in `tests/slt`: SQL answers as text, reviewed as a diff.
//!
//! `SLT_COMPLETE=1` rewrites their expectations.

use std::path::PathBuf;

use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

use super::fixture::Fixture;
use crate::AnalyseError;

struct Database(std::sync::Arc<Fixture>);

#[async_trait::async_trait]
impl AsyncDB for Database {
    type Error = AnalyseError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, AnalyseError> {
        let result = self.0.sql(sql).await?;
        let json: serde_json::Value =
            serde_json::from_slice(&result.to_json()?).map_err(AnalyseError::internal)?;
        let text = |value: &serde_json::Value| match value {
            serde_json::Value::Null => "NULL".to_owned(),
            serde_json::Value::String(text) if text.is_empty() => "(empty)".to_owned(),
            serde_json::Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let rows: Vec<Vec<String>> = json["rows"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|row| row.as_array().into_iter().flatten().map(text).collect())
            .collect();
        let types = vec![DefaultColumnType::Text; result.schema.fields().len()];
        Ok(DBOutput::Rows { types, rows })
    }

    async fn shutdown(&mut self) {}
}

#[tokio::test]
async fn sql_answers_are_as_written() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/slt");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ext| ext == "slt"))
        .collect();
    files.sort();
    assert!(files.len() >= 4, "{files:?}");
    let fixture = std::sync::Arc::new(Fixture::new());
    for file in files {
        let mut runner = Runner::new(|| async { Ok(Database(std::sync::Arc::clone(&fixture))) });
        if std::env::var_os("SLT_COMPLETE").is_some() {
            runner
                .update_test_file(
                    &file,
                    " ",
                    sqllogictest::default_validator,
                    sqllogictest::default_normalizer,
                    sqllogictest::default_column_validator,
                )
                .await
                .unwrap();
        } else {
            runner.run_file_async(&file).await.unwrap();
        }
    }
}
