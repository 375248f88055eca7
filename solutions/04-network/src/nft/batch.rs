//! Transactions: any number of changes to tables, chains, rules and maps, of which all happen or none.

use super::expression::Expression;
use crate::netlink::{Attributes, Family, Message, Socket, flags};
use rustix::io::Errno;

// linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 0x10;
const BATCH_END: u16 = 0x11;
const NEW_TABLE: u16 = 0;
const GET_TABLE: u16 = 1;
const DELETE_TABLE: u16 = 2;
const NEW_CHAIN: u16 = 3;
const GET_CHAIN: u16 = 4;
const NEW_RULE: u16 = 6;
const GET_RULE: u16 = 7;
const DELETE_RULE: u16 = 8;
const NEW_SET: u16 = 9;
const NEW_ELEMENT: u16 = 12;
const DELETE_ELEMENT: u16 = 14;
/// `struct nfgenmsg`: family, version, and for a batch the subsystem that it is for.
const GENERAL: usize = 4;
const LIST_ELEM: u16 = 1;
const DATA_VALUE: u16 = 1;
/// NFT_SET_MAP.
const MAP: u32 = 8;
/// A comment is kept as userspace data: its kind, its length, and the text (libnftnl, udata.h).
const COMMENT: u8 = 0;

/// Both IPv4 and IPv6 (NFPROTO_INET).
pub(super) const INET: u8 = 1;

/// Where a chain hooks into a packet's way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hook {
    pub kind: &'static str,
    pub number: u32,
    pub priority: i32,
}

/// A table, in which everything is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct TableName {
    pub family: u8,
    pub name: String,
}

/// A rule that is there.
#[derive(Clone, Debug)]
pub(super) struct FoundRule {
    pub handle: u64,
    pub chain: String,
    pub comment: String,
}

/// A chain that is there.
#[derive(Clone, Debug)]
pub(super) struct FoundChain {
    pub table: TableName,
    pub name: String,
    /// Hook, and what happens to packets that reach its end, if it is a chain that packets come to by themselves.
    pub base: Option<(u32, u32)>,
}

/// Changes that are being put together.
pub(super) struct Batch {
    messages: Vec<Message>,
}

fn message(kind: u16, further_flags: u16, family: u8) -> Message {
    Message::new(SUBSYSTEM << 8 | kind, further_flags, &[family, 0, 0, 0])
}

fn number(message: &mut Message, kind: u16, number: u32) {
    message.attribute(kind, &number.to_be_bytes());
}

impl Batch {
    pub(super) fn new() -> Self {
        Self { messages: Vec::new() }
    }

    fn add(&mut self, message: Message) {
        self.messages.push(message);
    }

    pub(super) fn table(&mut self, table: &TableName) {
        let mut add = message(NEW_TABLE, flags::CREATE, table.family);
        add.text(1, &table.name);
        self.add(add);
    }

    pub(super) fn delete_table(&mut self, table: &TableName) {
        let mut delete = message(DELETE_TABLE, 0, table.family);
        delete.text(1, &table.name);
        self.add(delete);
    }

    pub(super) fn chain(&mut self, table: &TableName, name: &str, hook: Option<Hook>) {
        let mut add = message(NEW_CHAIN, flags::CREATE, table.family);
        add.text(1, &table.name).text(3, name);
        if let Some(hook) = hook {
            add.nested(4, |nested| {
                number(nested, 1, hook.number);
                nested.attribute(2, &hook.priority.to_be_bytes());
            });
            add.text(7, hook.kind);
        }
        self.add(add);
    }

    /// A rule at the end of a chain, or at its head.
    pub(super) fn rule(&mut self, table: &TableName, chain: &str, last: bool, comment: &str, rule: Vec<Expression>) {
        let mut add = message(NEW_RULE, flags::CREATE | if last { flags::APPEND } else { 0 }, table.family);
        add.text(1, &table.name).text(2, chain);
        add.nested(4, |list| rule.into_iter().for_each(|expression| expression.write(list)));
        if !comment.is_empty() {
            let length = comment.len() as u8 + 1;
            add.attribute(7, &[&[COMMENT, length], comment.as_bytes(), &[0]].concat());
        }
        self.add(add);
    }

    pub(super) fn delete_rule(&mut self, table: &TableName, rule: &FoundRule) {
        let mut delete = message(DELETE_RULE, 0, table.family);
        delete.text(1, &table.name).text(2, &rule.chain).attribute(3, &rule.handle.to_be_bytes());
        self.add(delete);
    }

    /// A set of keys, or a map from keys to data. The kinds are only for `nft` to print them by; six bits for each part.
    pub(super) fn set(&mut self, table: &TableName, name: &str, key: (u32, u32), data: Option<(u32, u32)>) {
        let mut add = message(NEW_SET, flags::CREATE, table.family);
        add.text(1, &table.name).text(2, name);
        number(&mut add, 3, if data.is_some() { MAP } else { 0 });
        number(&mut add, 4, key.0);
        number(&mut add, 5, key.1);
        if let Some((kind, length)) = data {
            number(&mut add, 6, kind);
            number(&mut add, 7, length);
        }
        // For `nft` to print the keys by: in which order of bytes they are (libnftnl, udata.h). Names are strings, in the host's.
        let host_order: u32 = if data.is_none() { 1 } else { 2 };
        add.attribute(13, &[&[0, 4], &host_order.to_ne_bytes()[..]].concat());
        // A number by which this batch could speak of it; the kernel wants one.
        number(&mut add, 10, self.messages.len() as u32);
        self.add(add);
    }

    pub(super) fn element(&mut self, table: &TableName, set: &str, key: &[u8], data: Option<&[u8]>) {
        let change = message(NEW_ELEMENT, flags::CREATE, table.family);
        self.change_element(change, table, set, key, data);
    }

    pub(super) fn delete_element(&mut self, table: &TableName, set: &str, key: &[u8]) {
        let change = message(DELETE_ELEMENT, 0, table.family);
        self.change_element(change, table, set, key, None);
    }

    fn change_element(&mut self, mut change: Message, table: &TableName, set: &str, key: &[u8], data: Option<&[u8]>) {
        change.text(1, &table.name).text(2, set);
        change.nested(3, |list| {
            list.nested(LIST_ELEM, |element| {
                element.nested(1, |nested| {
                    nested.attribute(DATA_VALUE, key);
                });
                if let Some(data) = data {
                    element.nested(2, |nested| {
                        nested.attribute(DATA_VALUE, data);
                    });
                }
            });
        });
        self.add(change);
    }

    /// Makes it so.
    pub(super) fn commit(self, socket: &mut Socket) -> Result<(), Errno> {
        if self.messages.is_empty() {
            return Ok(());
        }
        let edge = |kind: u16| Message::new(kind, 0, &[0, 0, 0, SUBSYSTEM as u8]);
        socket.transact(edge(BATCH_BEGIN), self.messages, edge(BATCH_END))
    }
}

pub(super) fn open() -> Result<Socket, Errno> {
    Socket::open(Family::Netfilter)
}

pub(super) fn has_table(socket: &mut Socket, table: &TableName) -> Result<bool, Errno> {
    let mut ask = message(GET_TABLE, 0, table.family);
    ask.text(1, &table.name);
    match socket.ask(ask) {
        Ok(_) => Ok(true),
        Err(Errno::NOENT) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// All chains of all tables.
pub(super) fn chains(socket: &mut Socket) -> Result<Vec<FoundChain>, Errno> {
    let found = socket.ask(message(GET_CHAIN, flags::DUMP, 0))?;
    Ok(found.iter().filter_map(found_chain).collect())
}

fn found_chain(chain: &Message) -> Option<FoundChain> {
    let attributes = chain.attributes(GENERAL);
    let table = TableName { family: *chain.body().first()?, name: attributes.text(1)?.to_owned() };
    let hook = attributes.value(4).and_then(|hook| Attributes(hook).be_u32(1));
    let base = hook.map(|hook| (hook, attributes.be_u32(5).unwrap_or(1)));
    Some(FoundChain { table, name: attributes.text(3)?.to_owned(), base })
}

/// The rules of a table.
pub(super) fn rules(socket: &mut Socket, table: &TableName) -> Result<Vec<FoundRule>, Errno> {
    let mut ask = message(GET_RULE, flags::DUMP, table.family);
    ask.text(1, &table.name);
    let found = match socket.ask(ask) {
        Err(Errno::NOENT) => return Ok(Vec::new()),
        found => found?,
    };
    let ours = |rule: &&Message| rule.attributes(GENERAL).text(1) == Some(&table.name);
    Ok(found.iter().filter(ours).filter_map(found_rule).collect())
}

fn found_rule(rule: &Message) -> Option<FoundRule> {
    let attributes = rule.attributes(GENERAL);
    let comment = attributes.value(7).and_then(|data| match data {
        [COMMENT, _, text @ ..] => std::str::from_utf8(text.strip_suffix(&[0]).unwrap_or(text)).ok(),
        _ => None,
    });
    Some(FoundRule {
        handle: u64::from_be_bytes(attributes.value(3)?.try_into().ok()?),
        chain: attributes.text(2)?.to_owned(),
        comment: comment.unwrap_or_default().to_owned(),
    })
}
