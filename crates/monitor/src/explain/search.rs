//! The search for the set of elements that explains the leaves in the fewest words.
//!
//! A set is worth the nats by which it brings leaves into agreement with what is expected of them,
//! less the nats it takes to tell the set. A part of a cause's leaves that stayed normal speaks
//! against it, and so does a part of the change outside; so the coarsest element wins whose parts
//! all changed alike, and one level further down where they did not.
//!
//! Elements are tried one after the other on all cuboids at once, the few best sets are carried on
//! (a beam), and at the end each element may still be exchanged for a better one.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::Direction;
use super::evidence::{ELEMENT_NATS, LEAF_NATS, Model, cost};
use super::lattice::{Cuboid, Lattice, Space};
use super::leaves::Dimension;

/// Sets that are carried on.
const BEAM: usize = 2;
/// Elements of a pass that are looked at closely.
const SHORTLIST: usize = 6;
/// Steps by which the effect of an element is narrowed down.
const EFFECT_STEPS: usize = 6;
/// Leaves by which that is done.
const EFFECT_LEAVES: usize = 512;
/// The golden section.
const GOLDEN: f64 = 0.618_033_988_749_894_9;

/// An element and how strongly it is affected.
#[derive(Clone)]
pub(super) struct Chosen {
    /// Dimensions it fixes.
    pub(super) mask: u32,
    /// One of its leaves, which has its values.
    pub(super) first: u32,
    /// All of its leaves.
    pub(super) leaves: Rc<[u32]>,
    /// See [`Model`].
    pub(super) effect: f64,
    /// What it adds to the score of its set.
    pub(super) score: f64,
}

/// A set of elements.
#[derive(Clone)]
pub(super) struct Found {
    pub(super) direction: Direction,
    pub(super) elements: Vec<Chosen>,
    /// Nats that the set saves.
    pub(super) score: f64,
}

/// The sets that were looked at, best first.
pub(super) fn search<M: Model>(
    model: &M,
    dimensions: &[Dimension],
    leaves: usize,
    lattice: &Lattice,
    limits: Limits,
) -> Vec<Found> {
    if limits.elements_max == 0 {
        return Vec::new();
    }
    // Where the sign of the whole change is not clear, that of the best single element decides.
    let best = directions(model, limits.direction)
        .into_iter()
        .map(|direction| {
            let mut board = Board::new(model, dimensions, leaves, lattice, direction);
            let grown = board.grow(&board.nothing(), SHORTLIST);
            (board, grown)
        })
        .map(|(board, grown)| {
            let score = grown.iter().map(|state| state.score).fold(0.0, f64::max);
            (score, board, grown)
        })
        .reduce(|a, b| if b.0 > a.0 { b } else { a });
    let Some((_, mut board, grown)) = best else {
        return Vec::new();
    };
    let mut found = board.run(grown, limits.elements_max);
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

/// What bounds a search.
#[derive(Clone, Copy)]
pub(super) struct Limits {
    pub(super) elements_max: usize,
    pub(super) direction: Option<Direction>,
}

/// Standard deviations of the whole change beyond which its sign is believed.
const CHANGE_SIGN_MIN: f64 = 3.0;

fn directions<M: Model>(model: &M, wanted: Option<Direction>) -> Vec<Direction> {
    let (change, deviation) = model.change();
    match wanted {
        Some(direction) => vec![direction],
        None if change < -CHANGE_SIGN_MIN * deviation => vec![Direction::Down],
        None if change > CHANGE_SIGN_MIN * deviation => vec![Direction::Up],
        None => vec![Direction::Down, Direction::Up],
    }
}

/// A set that may grow.
#[derive(Clone)]
struct State {
    elements: Vec<Chosen>,
    score: f64,
    /// What its leaves changed by, in its direction.
    change: f64,
    /// Whether its newest element added enough to that.
    enough: bool,
    /// Of each leaf, its cost under the set.
    costs: Vec<f32>,
    covered: Vec<bool>,
}

struct Candidate {
    mask: u32,
    first: u32,
    effect: usize,
    score: f64,
}

struct Board<'a, M> {
    model: &'a M,
    dimensions: &'a [Dimension],
    lattice: &'a Lattice,
    direction: Direction,
    effects: &'static [f64],
    stray: f64,
    informative: Vec<bool>,
    normal: Vec<f32>,
    /// Costs as part of a cause, a row a leaf, a column an effect.
    affected: Vec<f32>,
    rows: Vec<f32>,
    space: Space,
    seen: BTreeMap<Vec<(u32, u32)>, Found>,
}

impl<'a, M: Model> Board<'a, M> {
    fn new(
        model: &'a M,
        dimensions: &'a [Dimension],
        leaves: usize,
        lattice: &'a Lattice,
        direction: Direction,
    ) -> Self {
        let effects = model.effects(direction);
        let informative: Vec<bool> = (0..leaves).map(|leaf| model.is_informative(leaf)).collect();
        // One leaf that agrees with nothing must be able to speak for itself: it says a little more
        // than its name as an element takes.
        let telling = informative.iter().filter(|i| **i).count().max(1);
        let stray = (-ELEMENT_NATS - LEAF_NATS).exp() / telling as f64;
        let mut normal = Vec::with_capacity(leaves);
        let mut affected = Vec::with_capacity(leaves * effects.len());
        for (leaf, informative) in informative.iter().enumerate() {
            if !informative {
                normal.push(0.0);
                affected.extend(effects.iter().map(|_| 0.0_f32));
                continue;
            }
            normal.push(cost(model.normal(leaf), stray) as f32);
            affected.extend(
                effects
                    .iter()
                    .map(|effect| cost(model.affected(leaf, direction, *effect), stray) as f32),
            );
        }
        Self {
            model,
            dimensions,
            lattice,
            direction,
            effects,
            stray,
            informative,
            rows: vec![0.0; affected.len()],
            normal,
            affected,
            space: Space::default(),
            seen: BTreeMap::new(),
        }
    }

    fn nothing(&self) -> State {
        State {
            elements: Vec::new(),
            score: 0.0,
            change: 0.0,
            enough: true,
            costs: self.normal.clone(),
            covered: vec![false; self.normal.len()],
        }
    }

    /// Carries on from the sets of one element.
    fn run(&mut self, first: Vec<State>, elements_max: usize) -> Vec<Found> {
        let mut best: Option<State> = None;
        let mut grown: Vec<State> = first.into_iter().filter(|s| s.score > 0.0).collect();
        for elements in 1..=elements_max {
            grown.sort_by(|a, b| b.score.total_cmp(&a.score));
            grown.dedup_by(|a, b| same(&a.elements, &b.elements));
            grown.truncate(BEAM);
            let Some(top) = grown.first() else { break };
            if best.as_ref().is_none_or(|best| top.score > best.score) {
                best = Some(top.clone());
            }
            if elements == elements_max {
                break;
            }
            let states = std::mem::take(&mut grown);
            for state in &states {
                let next = self.grow(state, SHORTLIST);
                grown.extend(next.into_iter().filter(|n| n.score > state.score));
            }
        }
        if let Some(best) = best {
            self.exchange(best);
        }
        std::mem::take(&mut self.seen).into_values().collect()
    }

    /// Tries to exchange each element of a set for a better one.
    fn exchange(&mut self, mut best: State) {
        for position in 0..best.elements.len() {
            if best.elements.len() < 2 || position >= best.elements.len() {
                return;
            }
            let mut kept = best.elements.clone();
            kept.remove(position);
            let mut rest = self.nothing();
            for element in kept {
                rest = self.with(
                    &rest,
                    element.mask,
                    element.first,
                    element.leaves,
                    element.effect,
                );
            }
            if rest.score > best.score {
                best = rest;
                continue;
            }
            for next in self.grow(&rest, SHORTLIST / 2) {
                if next.score > best.score {
                    best = next;
                }
            }
        }
    }

    /// The set with each of the best further elements.
    fn grow(&mut self, state: &State, shortlist: usize) -> Vec<State> {
        let candidates = self.candidates(state, shortlist);
        let mut grown = Vec::new();
        for candidate in candidates {
            let leaves = self.leaves_of(candidate.mask, candidate.first);
            let effect = self.narrowed(state, &leaves, candidate.effect);
            let next = self.with(state, candidate.mask, candidate.first, leaves, effect);
            if !next.enough {
                continue;
            }
            let mut key: Vec<(u32, u32)> =
                next.elements.iter().map(|e| (e.mask, e.first)).collect();
            key.sort_unstable();
            let known = self.seen.get(&key);
            if known.is_none_or(|known| known.score < next.score) {
                let found = Found {
                    direction: self.direction,
                    elements: next.elements.clone(),
                    score: next.score,
                };
                self.seen.insert(key, found);
            }
            grown.push(next);
        }
        grown
    }

    /// The elements that would save most beside those of `state`, by the effects that are tried.
    fn candidates(&mut self, state: &State, shortlist: usize) -> Vec<Candidate> {
        let width = self.effects.len();
        let leaves = state.costs.iter().zip(&state.covered);
        let rows = self.rows.chunks_exact_mut(width);
        let affected = self.affected.chunks_exact(width);
        for (((now, covered), row), affected) in leaves.zip(rows).zip(affected) {
            for (gain, affected) in row.iter_mut().zip(affected) {
                let saved = now - affected;
                // A leaf that a cause holds already is explained, and by that one.
                *gain = if *covered { 0.0 } else { saved };
            }
        }
        let mut top: Vec<Candidate> = Vec::new();
        let dimensions = self.dimensions;
        self.lattice
            .sum(&self.rows, width, &mut self.space, |cuboid, sums| {
                let told = words(cuboid, dimensions.len());
                for (element, gains) in sums.chunks_exact(width).enumerate() {
                    let Some((effect, gain)) = greatest(gains) else {
                        continue;
                    };
                    let floor = if top.len() < shortlist {
                        0.0
                    } else {
                        top.last().map_or(0.0, |c| c.score)
                    };
                    // Most elements are far from it, and a logarithm takes its time.
                    if f64::from(gain) - told <= floor {
                        continue;
                    }
                    let size = cuboid.leaves.get(element).copied().unwrap_or(0);
                    let penalty = told + 0.5 * f64::from(size).max(1.0).ln();
                    let score = f64::from(gain) - penalty;
                    if score <= floor {
                        continue;
                    }
                    let first = cuboid.first.get(element).copied().unwrap_or(0);
                    if state
                        .elements
                        .iter()
                        .any(|e| related(dimensions, (e.mask, e.first), (cuboid.mask, first)))
                    {
                        continue;
                    }
                    let at = top.partition_point(|c| c.score >= score);
                    top.insert(
                        at,
                        Candidate {
                            mask: cuboid.mask,
                            first,
                            effect,
                            score,
                        },
                    );
                    top.truncate(shortlist);
                }
            });
        top
    }

    fn leaves_of(&self, mask: u32, first: u32) -> Rc<[u32]> {
        let fixed: Vec<(&[u32], u32)> = fixed(self.dimensions, mask)
            .map(|d| {
                (
                    d.codes.as_slice(),
                    d.codes.get(first as usize).copied().unwrap_or(0),
                )
            })
            .collect();
        let Some(((codes, wanted), others)) = fixed.split_first() else {
            return (0..self.normal.len() as u32).collect();
        };
        codes
            .iter()
            .enumerate()
            .filter(|(_, code)| *code == wanted)
            .filter(|(leaf, _)| {
                others
                    .iter()
                    .all(|(codes, code)| codes.get(*leaf) == Some(code))
            })
            .map(|(leaf, _)| leaf as u32)
            .collect()
    }

    /// The effect between its neighbours that suits the leaves best, by golden-section search.
    fn narrowed(&self, state: &State, leaves: &[u32], effect: usize) -> f64 {
        let at = |index: usize| self.effects.get(index).copied();
        let middle = at(effect).unwrap_or(1.0);
        let mut low = effect.checked_sub(1).and_then(at).unwrap_or(0.5 * middle);
        let mut high = at(effect + 1).unwrap_or(middle);
        // Some of the leaves tell the effect well enough.
        let step = leaves.len().div_ceil(EFFECT_LEAVES).max(1);
        let total = |effect: f64| -> f64 {
            leaves
                .iter()
                .step_by(step)
                .map(|leaf| self.saved(state, *leaf, effect))
                .sum()
        };
        let (mut a, mut b) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
        let (mut at_a, mut at_b) = (total(a), total(b));
        let mut best = [(total(middle), middle), (at_a, a), (at_b, b)]
            .into_iter()
            .fold((f64::NEG_INFINITY, middle), |best, x| {
                if x.0 > best.0 { x } else { best }
            });
        for _ in 0..EFFECT_STEPS {
            if at_a > at_b {
                (high, b, at_b) = (b, a, at_a);
                a = high - GOLDEN * (high - low);
                at_a = total(a);
                if at_a > best.0 {
                    best = (at_a, a);
                }
            } else {
                (low, a, at_a) = (a, b, at_b);
                b = low + GOLDEN * (high - low);
                at_b = total(b);
                if at_b > best.0 {
                    best = (at_b, b);
                }
            }
        }
        best.1
    }

    /// What a leaf's cost falls by if it is part of a cause with this effect.
    fn saved(&self, state: &State, leaf: u32, effect: f64) -> f64 {
        let index = leaf as usize;
        if self.informative.get(index) != Some(&true) || self.is_covered(state, index) {
            return 0.0;
        }
        let affected = self.model.affected(index, self.direction, effect);
        let now = state.costs.get(index).map_or(0.0, |c| f64::from(*c));
        now - cost(affected, self.stray)
    }

    fn is_covered(&self, state: &State, leaf: usize) -> bool {
        state.covered.get(leaf) == Some(&true)
    }

    fn with(&self, state: &State, mask: u32, first: u32, leaves: Rc<[u32]>, effect: f64) -> State {
        let mut next = state.clone();
        let (mut gain, mut added) = (0.0, 0.0);
        for leaf in leaves.iter() {
            let saved = self.saved(state, *leaf, effect);
            gain += saved;
            if let Some(cost) = next.costs.get_mut(*leaf as usize) {
                *cost -= saved as f32;
            }
            if let Some(covered) = next.covered.get_mut(*leaf as usize)
                && !*covered
            {
                *covered = true;
                added += self.model.change_of(*leaf as usize);
            }
        }
        let cuboid = self.lattice.cuboids.iter().find(|c| c.mask == mask);
        let told = cuboid.map_or(0.0, |c| words(c, self.dimensions.len()));
        let score = gain - told - 0.5 * (leaves.len().max(1) as f64).ln();
        next.score += score;
        if self.direction == Direction::Down {
            added = -added;
        }
        next.change += added;
        next.enough = added >= self.model.share_min() * next.change && added > 0.0;
        next.elements.push(Chosen {
            mask,
            first,
            leaves,
            effect,
            score,
        });
        next
    }
}

/// Nats to tell an element of this cuboid: which cuboid of its layer, and which element of it.
fn words(cuboid: &Cuboid, dimensions: usize) -> f64 {
    let layer = cuboid.layer();
    let cuboids: f64 = (0..layer)
        .map(|i| ((dimensions - i) as f64 / (i + 1) as f64).ln())
        .sum();
    ELEMENT_NATS + cuboids + (cuboid.first.len().max(1) as f64).ln()
}

fn fixed(dimensions: &[Dimension], mask: u32) -> impl Iterator<Item = &Dimension> {
    let positions = dimensions.iter().enumerate();
    positions
        .filter(move |(position, _)| mask >> position & 1 == 1)
        .map(|(_, d)| d)
}

/// Whether one of two elements holds the other.
fn related(dimensions: &[Dimension], a: (u32, u32), b: (u32, u32)) -> bool {
    let common = a.0 & b.0;
    (common == a.0 || common == b.0)
        && fixed(dimensions, common).all(|d| d.codes.get(a.1 as usize) == d.codes.get(b.1 as usize))
}

fn same(a: &[Chosen], b: &[Chosen]) -> bool {
    let key = |set: &[Chosen]| {
        let mut key: Vec<(u32, u32)> = set.iter().map(|e| (e.mask, e.first)).collect();
        key.sort_unstable();
        key
    };
    key(a) == key(b)
}

fn greatest(gains: &[f32]) -> Option<(usize, f32)> {
    let mut best: Option<(usize, f32)> = None;
    for (index, gain) in gains.iter().enumerate() {
        if best.is_none_or(|(_, greatest)| *gain > greatest) {
            best = Some((index, *gain));
        }
    }
    best.filter(|(_, gain)| *gain > 0.0)
}
