//! Finds out what `apt` would choose.
//!
//! `apt` marks what is asked for and then follows dependencies in depth, group by group. What it takes for a group
//! depends on what is already marked, so that the order is part of the answer. This follows the same order and the
//! same rules; it may end with a set that does not hold together, as `apt` may at this point. Whether it does, and
//! what to do instead, is for the solver: the walk only tells what is preferred.
//!
//! There is no recursion: indexes of others may hold chains of any length.

use super::world::{Exclusion, Group, Needs, Place, World};
use std::rc::Rc;

/// What is known of one name.
#[derive(Clone, Copy, Default)]
struct State {
    /// Whether it was looked at before: the candidate is only valid then.
    is_known: bool,
    candidate: Option<Place>,
    is_marked: bool,
    /// Whether nobody else may change the mark.
    is_protected: bool,
}

/// A package whose dependencies are being marked.
struct Frame<'a> {
    place: Place,
    needs: Rc<Needs<'a>>,
    /// Numbers of the groups that were not fulfilled at the start.
    groups: Vec<usize>,
    next_group: usize,
    /// Whether the package was protected before.
    was_protected: bool,
    is_root: bool,
    has_failed: bool,
    trial: Trial,
}

/// What the package at the end of the stack is waiting for.
enum Trial {
    /// Nothing: the next group is to be looked at.
    None,
    /// One of several packages for a group.
    Alternatives { targets: Vec<Place>, next: usize, is_only: bool },
    /// A package that is marked already and becomes protected.
    Protection,
}

enum Entered<'a> {
    Done(bool),
    Frame(Box<Frame<'a>>),
}

/// Follows `apt`.
pub(super) struct Walk<'w, 'a> {
    world: &'w World<'a>,
    states: Vec<State>,
    /// Marked packages in the order in which they were marked, some of them unmarked since.
    order: Vec<Place>,
}

impl<'w, 'a> Walk<'w, 'a> {
    /// Returns the packages that `apt` would choose, in the order in which it chooses them.
    pub(super) fn choices(world: &'w World<'a>, roots: &[Place]) -> Vec<Place> {
        let states = vec![State::default(); world.universe.id_count()];
        let mut walk = Self { world, states, order: Vec::new() };
        for root in roots {
            walk.state(*root).is_protected = true;
            if walk.state(*root).candidate == Some(*root) {
                walk.mark(*root);
            }
        }
        for root in roots {
            if walk.is_broken(*root) {
                walk.run(*root);
            }
        }
        let mut chosen = walk.order.clone();
        chosen.retain(|place| walk.is_marked(*place));
        let mut seen = std::collections::HashSet::new();
        chosen.retain(|place| seen.insert(*place));
        chosen
    }

    fn state(&mut self, place: Place) -> &mut State {
        let id = self.world.universe.id_of(place);
        let state = &mut self.states[id as usize];
        if !state.is_known {
            state.is_known = true;
            state.candidate = self.world.options(id).first().copied();
        }
        state
    }

    fn is_candidate(&mut self, place: Place) -> bool {
        self.state(place).candidate == Some(place)
    }

    fn is_marked(&self, place: Place) -> bool {
        let state = &self.states[self.world.universe.id_of(place) as usize];
        state.is_marked && state.candidate == Some(place)
    }

    fn mark(&mut self, place: Place) {
        let state = self.state(place);
        if !state.is_marked {
            state.is_marked = true;
            self.order.push(place);
        }
    }

    fn is_fulfilled(&self, group: &Group<'_>) -> bool {
        group.targets().any(|target| self.is_marked(target))
    }

    fn is_violated(&self, exclusion: &Exclusion<'_>) -> bool {
        exclusion.targets.iter().any(|target| self.is_marked(*target))
    }

    /// Tells whether something that a package needs is missing, or something that it excludes is there.
    fn is_broken(&self, place: Place) -> bool {
        let needs = self.world.needs(place);
        let mut groups = needs.groups.iter().filter(|group| self.world.is_followed(group));
        groups.any(|group| !self.is_fulfilled(group))
            || needs.exclusions.iter().any(|exclusion| self.is_violated(exclusion))
    }

    /// Tells whether all that a package must have is there or can be had.
    fn is_possible(&mut self, needs: &Needs<'_>) -> bool {
        let mut groups = needs.groups.iter().filter(|group| group.is_critical());
        groups
            .all(|group| self.is_fulfilled(group) || group.targets().any(|target| self.is_candidate(target)))
    }

    fn run(&mut self, root: Place) {
        let mut stack = match self.enter(root, true) {
            Entered::Done(_) => return,
            Entered::Frame(frame) => vec![*frame],
        };
        let mut result = None;
        while let Some(frame) = stack.last_mut() {
            match self.advance(frame, result.take()) {
                Some(Entered::Frame(child)) => stack.push(*child),
                Some(Entered::Done(outcome)) => result = Some(outcome),
                None => {
                    let outcome = stack.pop().map(|frame| self.leave(&frame));
                    result = outcome;
                }
            }
        }
    }

    /// Begins to mark a package together with what it needs.
    fn enter(&mut self, place: Place, is_root: bool) -> Entered<'a> {
        let state = *self.state(place);
        if state.candidate != Some(place) || (!is_root && !state.is_marked && state.is_protected) {
            return Entered::Done(false);
        }
        if !state.is_protected && state.is_marked && !self.is_broken(place) {
            return Entered::Done(true);
        }
        let needs = self.world.needs(place);
        if !self.is_possible(&needs) {
            if !state.is_protected {
                let state = self.state(place);
                state.candidate = None;
                state.is_marked = false;
            }
            return Entered::Done(false);
        }
        if is_root {
            self.mark(place);
        }
        let is_open = |walk: &Self, group: &Group<'_>| {
            walk.world.is_followed(group) && (state.is_protected || !walk.is_fulfilled(group))
        };
        let groups = (0..needs.groups.len()).filter(|index| is_open(self, &needs.groups[*index])).collect();
        let has_failed = !self.exclude(&needs, state.is_protected, is_root);
        if has_failed && !state.is_protected && !is_root {
            return Entered::Done(false);
        }
        self.mark(place);
        self.state(place).is_protected = true;
        let was_protected = state.is_protected;
        Entered::Frame(Box::new(Frame {
            place,
            needs,
            groups,
            next_group: 0,
            was_protected,
            is_root,
            has_failed,
            trial: Trial::None,
        }))
    }

    /// Drops what a package excludes, and tells whether that was possible.
    fn exclude(&mut self, needs: &Needs<'_>, is_protected: bool, is_root: bool) -> bool {
        let violated: Vec<_> =
            needs.exclusions.iter().filter(|exclusion| is_protected || self.is_violated(exclusion)).collect();
        let mut has_failed = false;
        for exclusion in violated {
            for target in &exclusion.targets {
                if !self.is_candidate(*target) {
                    continue;
                }
                let state = self.state(*target);
                if state.is_marked && state.is_protected {
                    has_failed = true;
                    if !is_protected && !is_root {
                        return false;
                    }
                    continue;
                }
                state.is_marked = false;
                if is_protected {
                    state.candidate = None;
                    state.is_protected = true;
                }
            }
        }
        !has_failed
    }

    /// Goes on with a package after `result` of what it waited for; returns `None` if there is nothing left to do.
    fn advance(&mut self, frame: &mut Frame<'a>, result: Option<bool>) -> Option<Entered<'a>> {
        match (&mut frame.trial, result) {
            (Trial::Protection, Some(outcome)) => {
                frame.has_failed |= !outcome;
                frame.trial = Trial::None;
            }
            (Trial::Alternatives { .. }, Some(true)) => frame.trial = Trial::None,
            _ => {}
        }
        loop {
            if let Trial::Alternatives { targets, next, is_only } = &mut frame.trial {
                if let Some(target) = targets.get(*next).copied() {
                    *next += 1;
                    let is_only = *is_only;
                    if let Some(entered) = self.try_alternative(target, is_only) {
                        return Some(entered);
                    }
                    continue;
                }
                frame.trial = Trial::None;
                if frame.needs.groups[frame.groups[frame.next_group - 1]].is_critical() {
                    frame.has_failed = true;
                    if !frame.was_protected && !frame.is_root {
                        return None;
                    }
                }
            }
            let index = *frame.groups.get(frame.next_group)?;
            frame.next_group += 1;
            let needs = Rc::clone(&frame.needs);
            let group = &needs.groups[index];
            if self.is_fulfilled(group) {
                if frame.was_protected
                    && group.is_critical()
                    && let Some(only) = self.only_unprotected(group)
                {
                    self.state(only).is_protected = true;
                    frame.trial = Trial::Protection;
                    return Some(self.enter(only, false));
                }
                continue;
            }
            let targets = self.possible(group);
            let is_only = frame.was_protected && group.is_critical() && targets.len() == 1;
            frame.trial = Trial::Alternatives { targets, next: 0, is_only };
        }
    }

    /// Begins to mark a package for a group; returns `None` if it is out of the question.
    fn try_alternative(&mut self, target: Place, is_only: bool) -> Option<Entered<'a>> {
        if !self.is_candidate(target) {
            return None;
        }
        if is_only {
            let state = self.state(target);
            if !state.is_marked && state.is_protected {
                return None;
            }
            self.mark(target);
            self.state(target).is_protected = true;
        }
        match self.enter(target, false) {
            Entered::Done(false) => None,
            entered => Some(entered),
        }
    }

    /// Returns the package that fulfils a group if there is but one, and it is not protected.
    fn only_unprotected(&mut self, group: &Group<'_>) -> Option<Place> {
        let mut targets: Vec<_> = group.targets().filter(|target| self.is_candidate(*target)).collect();
        targets.sort_unstable();
        targets.dedup();
        let [only] = targets[..] else { return None };
        (!self.state(only).is_protected).then_some(only)
    }

    /// Returns the packages that may fulfil a group, the preferred one first.
    fn possible(&mut self, group: &Group<'_>) -> Vec<Place> {
        let mut found = Vec::new();
        for alternative in &group.alternatives {
            let mut targets: Vec<_> =
                alternative.iter().copied().filter(|place| self.is_candidate(*place)).collect();
            targets.sort_by_key(|target| !self.state(*target).is_protected);
            found.extend(targets);
        }
        found.dedup();
        found.retain(|target| {
            let state = self.state(*target);
            state.is_marked || !state.is_protected
        });
        found
    }

    /// Ends the work on a package, and tells whether it was marked with all that it needs.
    fn leave(&mut self, frame: &Frame<'a>) -> bool {
        let state = self.state(frame.place);
        state.is_protected = frame.was_protected;
        if frame.has_failed && !frame.was_protected && !frame.is_root {
            state.is_marked = false;
            state.candidate = None;
        }
        !frame.has_failed
    }
}
