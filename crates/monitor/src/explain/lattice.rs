//! All cuboids of the leaves, and sums over each of their elements.
//!
//! A cuboid fixes some of the dimensions; its elements are the combinations of their values that
//! occur. Sums over a coarse cuboid are made from those of a finer one, of which there are far
//! fewer than leaves, so that a pass over all of them costs a few passes over the leaves.

use hashbrown::HashMap;

use super::leaves::Dimension;

/// Combinations up to which elements are found by a table instead of a map.
const DENSE_MAX: u128 = 1 << 18;

/// The elements that fix the dimensions of `mask`.
pub(super) struct Cuboid {
    /// A bit a dimension that is fixed.
    pub(super) mask: u32,
    /// Of each element, one of its leaves.
    pub(super) first: Vec<u32>,
    /// Of each element, how many leaves it has.
    pub(super) leaves: Vec<u32>,
    /// The finer cuboid that is summed up, or the leaves themselves.
    source: Option<usize>,
    /// Of each element of the source, the element it is part of.
    element_of: Vec<u32>,
    /// Whether another cuboid is summed up from this one.
    is_source: bool,
}

impl Cuboid {
    /// How many dimensions are fixed.
    pub(super) fn layer(&self) -> usize {
        self.mask.count_ones() as usize
    }
}

/// All cuboids down to a layer, the finest first; the last is the whole.
pub(super) struct Lattice {
    pub(super) cuboids: Vec<Cuboid>,
    layer_max: usize,
}

impl Lattice {
    /// Finds all elements of up to `layer_max` fixed dimensions.
    pub(super) fn new(dimensions: &[Dimension], leaves: usize, layer_max: usize) -> Self {
        let layer_max = layer_max.min(dimensions.len());
        let mut cuboids: Vec<Cuboid> = Vec::new();
        // One layer more than wanted pays where it is much smaller than the leaves.
        for layer in (0..=dimensions.len().min(layer_max + 1)).rev() {
            for mask in (0..1_u32 << dimensions.len()).filter(|m| m.count_ones() as usize == layer)
            {
                let source = finer(&cuboids, mask, leaves);
                let found = grouped(dimensions, mask, source, &cuboids, leaves);
                if layer > layer_max && found.first.len() > leaves / 2 {
                    continue;
                }
                if let Some(source) = source.and_then(|index| cuboids.get_mut(index)) {
                    source.is_source = true;
                }
                cuboids.push(found);
            }
        }
        Self { cuboids, layer_max }
    }

    /// Sums rows of `width` numbers, one row a leaf, over every element, and hands each cuboid's
    /// rows to `visit`.
    pub(super) fn sum(
        &self,
        rows: &[f32],
        width: usize,
        space: &mut Space,
        mut visit: impl FnMut(&Cuboid, &[f32]),
    ) {
        space.tables.resize_with(self.cuboids.len(), Vec::new);
        for (index, cuboid) in self.cuboids.iter().enumerate() {
            // What no other cuboid needs goes to one table that is used again and again.
            let mut table = if cuboid.is_source {
                space
                    .tables
                    .get_mut(index)
                    .map(std::mem::take)
                    .unwrap_or_default()
            } else {
                std::mem::take(&mut space.scratch)
            };
            table.clear();
            table.resize(cuboid.first.len() * width, 0.0);
            let source = cuboid.source.and_then(|source| space.tables.get(source));
            let source = source.map_or(rows, Vec::as_slice);
            add_rows(source, &cuboid.element_of, width, &mut table);
            if cuboid.layer() <= self.layer_max {
                visit(cuboid, &table);
            }
            if cuboid.is_source {
                if let Some(place) = space.tables.get_mut(index) {
                    *place = table;
                }
            } else {
                space.scratch = table;
            }
        }
    }
}

/// Tables that are kept from one pass to the next.
#[derive(Default)]
pub(super) struct Space {
    tables: Vec<Vec<f32>>,
    scratch: Vec<f32>,
}

fn add_rows(source: &[f32], element_of: &[u32], width: usize, table: &mut [f32]) {
    // Most of a search is spent here, and a width that the compiler knows is one addition of a vector.
    match width {
        8 => add_rows_of::<8>(source, element_of, table),
        _ => add_rows_of_any(source, element_of, width, table),
    }
}

fn add_rows_of<const WIDTH: usize>(source: &[f32], element_of: &[u32], table: &mut [f32]) {
    let (rows, _) = source.as_chunks::<WIDTH>();
    let (table, _) = table.as_chunks_mut::<WIDTH>();
    for (row, element) in rows.iter().zip(element_of) {
        if let Some(sums) = table.get_mut(*element as usize) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

fn add_rows_of_any(source: &[f32], element_of: &[u32], width: usize, table: &mut [f32]) {
    for (row, element) in source.chunks_exact(width.max(1)).zip(element_of) {
        let start = *element as usize * width;
        if let Some(sums) = table.get_mut(start..start + width) {
            for (sum, x) in sums.iter_mut().zip(row) {
                *sum += x;
            }
        }
    }
}

/// The cuboid with the fewest elements of those that fix one dimension more.
fn finer(cuboids: &[Cuboid], mask: u32, leaves: usize) -> Option<usize> {
    cuboids
        .iter()
        .enumerate()
        .filter(|(_, c)| c.mask & mask == mask && c.mask.count_ones() == mask.count_ones() + 1)
        .map(|(index, c)| (c.first.len(), index))
        .filter(|(elements, _)| *elements < leaves)
        .min()
        .map(|(_, index)| index)
}

fn grouped(
    dimensions: &[Dimension],
    mask: u32,
    source: Option<usize>,
    cuboids: &[Cuboid],
    leaves: usize,
) -> Cuboid {
    let fixed: Vec<&Dimension> = dimensions
        .iter()
        .enumerate()
        .filter(|(position, _)| mask >> position & 1 == 1)
        .map(|(_, dimension)| dimension)
        .collect();
    let combinations: u128 = fixed
        .iter()
        .map(|d| d.values.len().max(1) as u128)
        .product();
    let code = |d: &Dimension, leaf: u32| d.codes.get(leaf as usize).copied().unwrap_or(0);
    let key = |leaf: u32| {
        fixed.iter().fold(0_u128, |key, d| {
            key * d.values.len().max(1) as u128 + u128::from(code(d, leaf))
        })
    };
    // The same where there are so few combinations that each has a place.
    let place = |leaf: u32| {
        fixed.iter().fold(0_usize, |key, d| {
            key * d.values.len().max(1) + code(d, leaf) as usize
        })
    };
    let is_dense = combinations <= DENSE_MAX;
    let source_of = source.and_then(|index| cuboids.get(index));
    let count = source_of.map_or(leaves, |c| c.first.len());
    let mut dense = vec![u32::MAX; if is_dense { combinations as usize } else { 0 }];
    let mut sparse: HashMap<u128, u32> = HashMap::new();
    let mut found = Cuboid {
        mask,
        first: Vec::new(),
        leaves: Vec::new(),
        source,
        element_of: Vec::with_capacity(count),
        is_source: false,
    };
    for item in 0..count {
        let leaf = source_of.map_or(item as u32, |c| c.first.get(item).copied().unwrap_or(0));
        let size = source_of.map_or(1, |c| c.leaves.get(item).copied().unwrap_or(0));
        let known = if is_dense { Some(place(leaf)) } else { None };
        let place = match known.and_then(|at| dense.get_mut(at)) {
            Some(place) => place,
            None => sparse.entry(key(leaf)).or_insert(u32::MAX),
        };
        if *place == u32::MAX {
            *place = found.first.len() as u32;
            found.first.push(leaf);
            found.leaves.push(0);
        }
        if let Some(leaves) = found.leaves.get_mut(*place as usize) {
            *leaves += size;
        }
        found.element_of.push(*place);
    }
    found
}
