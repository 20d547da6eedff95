//! The tables of one query. Nothing can be added, and there is nothing else to name.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{
    CatalogProvider, CatalogProviderList, MemoryCatalogProvider, MemoryCatalogProviderList,
    SchemaProvider, TableProvider,
};
use datafusion::common::Result;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::source_as_provider;
use datafusion::logical_expr::LogicalPlan;

use super::cube::{BUCKET, CubeTable};
use super::stream::StreamTable;
use super::time_range::{TimeRange, time_range};
use crate::source::{CubeSource, StreamSource};
use crate::windowed::WindowTable;

/// The catalogue every table is in.
pub(crate) const CATALOGUE: &str = "tillwatch";
/// The schema every table is in.
pub(crate) const SCHEMA: &str = "public";

/// The cubes of one query, by name.
pub(crate) type CubeTables = Arc<BTreeMap<String, Arc<CubeTable>>>;

/// One view of every cube and stream.
#[derive(Debug, Default)]
pub(crate) struct QueryTables {
    cubes: CubeTables,
    streams: BTreeMap<String, Arc<StreamTable>>,
}

impl QueryTables {
    /// Tables over these, none of them read yet.
    pub(crate) fn new(
        cubes: impl IntoIterator<Item = Arc<dyn CubeSource>>,
        streams: impl IntoIterator<Item = Arc<dyn StreamSource>>,
    ) -> Self {
        let cubes: BTreeMap<_, _> = cubes
            .into_iter()
            .map(|cube| (cube.name().to_owned(), Arc::new(CubeTable::new(cube))))
            .collect();
        let cubes = Arc::new(cubes);
        let streams = streams
            .into_iter()
            .map(|stream| (stream.name().to_owned(), Arc::new(StreamTable::new(stream))))
            .collect();
        Self { cubes, streams }
    }

    /// The cubes, to be read in other ways too.
    pub(crate) fn cubes(&self) -> CubeTables {
        Arc::clone(&self.cubes)
    }

    /// The catalogue list with these tables and nothing else.
    pub(crate) fn into_catalogues(self) -> Result<Arc<dyn CatalogProviderList>> {
        let catalogue = MemoryCatalogProvider::new();
        catalogue.register_schema(SCHEMA, Arc::new(self))?;
        let list = MemoryCatalogProviderList::new();
        list.register_catalog(CATALOGUE.to_owned(), Arc::new(catalogue));
        Ok(Arc::new(list))
    }
}

#[async_trait]
impl SchemaProvider for QueryTables {
    fn table_names(&self) -> Vec<String> {
        self.cubes
            .keys()
            .chain(self.streams.keys())
            .cloned()
            .collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(cube) = self.cubes.get(name) {
            return Ok(Some(Arc::clone(cube) as Arc<dyn TableProvider>));
        }
        Ok(self
            .streams
            .get(name)
            .map(|stream| Arc::clone(stream) as Arc<dyn TableProvider>))
    }

    fn table_exist(&self, name: &str) -> bool {
        self.cubes.contains_key(name) || self.streams.contains_key(name)
    }
}

/// Takes the views of all tables an optimised plan reads, each for all that the plan reads of it, so
/// that two mentions of a table with different conditions see the same state of it.
pub(crate) fn take_views(plan: &LogicalPlan) -> Result<()> {
    // By cube, however it is named: a cube and its windows are read in one view.
    let mut found: HashMap<*const CubeTable, (Arc<dyn TableProvider>, TimeRange)> = HashMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::TableScan(scan) = node {
            let provider = source_as_provider(&scan.source)?;
            if let Some(stream) = provider.downcast_ref::<StreamTable>() {
                stream.take_view();
            }
            let range = match provider.downcast_ref::<WindowTable>() {
                Some(windows) => windows.range(&scan.filters),
                None => time_range(BUCKET, &scan.filters),
            };
            if let Some(cube) = cube_of(provider.as_ref()) {
                found
                    .entry(std::ptr::from_ref(cube))
                    .and_modify(|(_, all)| *all = all.or(range))
                    .or_insert((provider, range));
            }
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    for (provider, range) in found.into_values() {
        if let Some(cube) = cube_of(provider.as_ref()) {
            cube.take_view(range);
        }
    }
    Ok(())
}

fn cube_of(provider: &dyn TableProvider) -> Option<&CubeTable> {
    let windows = provider.downcast_ref::<WindowTable>();
    windows
        .map(|windows| windows.cube().as_ref())
        .or_else(|| provider.downcast_ref::<CubeTable>())
}
