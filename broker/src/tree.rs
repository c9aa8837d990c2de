//! A tree of topic levels: what lies under which filter (MQTT 5 §4.7).

use std::collections::HashMap;
use std::str::Split;

#[derive(Debug)]
struct Node<T> {
    children: HashMap<Box<str>, Node<T>>,
    /// Below `+`.
    plus: Option<Box<Node<T>>>,
    /// Filters that end here.
    here: Vec<T>,
    /// Filters that end in `#` here.
    hash: Vec<T>,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Node { children: HashMap::new(), plus: None, here: vec![], hash: vec![] }
    }
}

impl<T> Node<T> {
    fn is_empty(&self) -> bool {
        self.children.is_empty()
            && self.plus.is_none()
            && self.here.is_empty()
            && self.hash.is_empty()
    }

    fn change(&mut self, levels: &mut Split<'_, char>, change: impl FnOnce(&mut Vec<T>)) {
        match levels.next() {
            None => change(&mut self.here),
            Some("#") => change(&mut self.hash),
            Some("+") => {
                let plus = self.plus.get_or_insert_default();
                plus.change(levels, change);
                if plus.is_empty() {
                    self.plus = None;
                }
            }
            Some(level) => {
                let child = self.children.entry(level.into()).or_default();
                child.change(levels, change);
                if child.is_empty() {
                    self.children.remove(level);
                }
            }
        }
    }

    fn get(&self, levels: &mut Split<'_, char>) -> &[T] {
        let below = match levels.next() {
            None => return &self.here,
            Some("#") => return &self.hash,
            Some("+") => self.plus.as_deref(),
            Some(level) => self.children.get(level),
        };
        below.map_or(&[], |node| node.get(levels))
    }

    fn find<'a>(&'a self, rest: Option<&str>, wild: bool, show: &mut impl FnMut(&'a [T])) {
        if wild && !self.hash.is_empty() {
            show(&self.hash);
        }
        let Some(rest) = rest else {
            if !self.here.is_empty() {
                show(&self.here);
            }
            return;
        };
        let (level, rest) = match rest.split_once('/') {
            Some((level, rest)) => (level, Some(rest)),
            None => (rest, None),
        };
        if let Some(child) = self.children.get(level) {
            child.find(rest, true, show);
        }
        if wild && let Some(plus) = &self.plus {
            plus.find(rest, true, show);
        }
    }
}

/// What is kept by filter, a list for each.
#[derive(Debug)]
pub(crate) struct Tree<T> {
    root: Node<T>,
}

impl<T> Default for Tree<T> {
    fn default() -> Self {
        Tree { root: Node::default() }
    }
}

impl<T> Tree<T> {
    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.root.is_empty()
    }

    /// Changes a filter's list; what is empty then is not kept.
    pub fn change(&mut self, filter: &str, change: impl FnOnce(&mut Vec<T>)) {
        self.root.change(&mut filter.split('/'), change);
    }

    /// A filter's list.
    pub fn get(&self, filter: &str) -> &[T] {
        self.root.get(&mut filter.split('/'))
    }

    /// Shows the lists, none of them empty, of all filters that match a topic.
    pub fn find<'a>(&'a self, topic: &str, mut show: impl FnMut(&'a [T])) {
        // §4.7.2: wildcards in the first level do not match `$`.
        let wild = !topic.starts_with('$');
        self.root.find(Some(topic), wild, &mut show);
    }
}
