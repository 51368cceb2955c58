//! Names of people, teams and rooms, chosen to hurt careless readers: Japanese, Arabic, emoji, quotes, formulas.

use super::random::{mix, pick};

/// What a mailbox is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    User,
    Shared,
    Room,
}

impl Kind {
    /// As `RecipientTypeDetails` calls it.
    pub(super) fn details(self) -> &'static str {
        match self {
            Kind::User => "UserMailbox",
            Kind::Shared => "SharedMailbox",
            Kind::Room => "RoomMailbox",
        }
    }
}

/// A made-up holder of a mailbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) kind: Kind,
    pub(super) first: &'static str,
    pub(super) last: &'static str,
    pub(super) display: &'static str,
    /// ASCII, unique: it ends in the index.
    pub(super) alias: String,
}

/// First name, last name, display name, alias.
const PEOPLE: &[(&str, &str, &str, &str)] = &[
    ("太郎", "山田", "山田 太郎", "taro.yamada"),
    ("花子", "佐藤", "佐藤 花子", "hanako.sato"),
    ("محمد", "الأحمد", "محمد الأحمد", "mohammed.alahmad"),
    ("فاطمة", "الزهراء", "فاطمة الزهراء", "fatima.alzahra"),
    ("Aoife", "O'Brien", "Aoife O'Brien", "aoife.obrien"),
    ("José", "Núñez", "Núñez, José", "jose.nunez"),
    ("Zoë", "Müller", "Zoë \"Zo\" Müller", "zoe.muller"),
    ("Kim", "Larsen", "Kim Larsen 🚀", "kim.larsen"),
    ("Priya", "Raman", "Priya Raman", "priya.raman"),
    ("Grace", "Hopper", "Grace Hopper", "grace.hopper"),
    ("Ivan", "Petrov", "Иван Петров", "ivan.petrov"),
    ("Wei", "Chen", "陈伟", "wei.chen"),
    ("Jean", "d'Arc", "Jean d'Arc", "jean.darc"),
    ("Ann", "Lee", "Lee, Ann (Contractor)", "ann.lee"),
    ("Noor", "Khan", "نور خان", "noor.khan"),
    ("Søren", "Ødegård", "Søren Ødegård", "soren.odegard"),
    ("Sam", "Plus", "+Sam Plus", "sam.plus"),
    ("Yuki", "Tanaka", "田中 優希 🌸", "yuki.tanaka"),
];

const TEAMS: &[(&str, &str)] = &[
    ("営業部 共有", "eigyo"),
    ("Sales & Marketing", "sales"),
    ("خدمة العملاء", "customercare"),
    ("Support 💬", "support"),
    ("Finance, Accounts Payable", "finance"),
    ("=SUM(A1:A9) Reports", "reports"),
    ("+1 Hotline", "hotline"),
    ("HR \"People Team\"", "hr"),
    ("Men's Health", "menshealth"),
    ("人事部", "jinji"),
    ("Info", "info"),
    ("Legal @ Contoso", "legal"),
];

const ROOMS: &[(&str, &str)] = &[
    ("会議室 富士", "room.fuji"),
    ("Room 42, Floor 3", "room.42"),
    ("قاعة الاجتماعات", "room.qaa"),
    ("Boardroom 🪑", "room.board"),
];

const KIND: u64 = 1;
const NAME: u64 = 2;

/// About one in three is shared, a few are rooms.
pub(super) fn kind(seed: u64, index: u64) -> Kind {
    match mix(seed, index, KIND) % 30 {
        0..=9 => Kind::Shared,
        10..=11 => Kind::Room,
        _ => Kind::User,
    }
}

/// Who holds mailbox `index`.
pub(super) fn person(seed: u64, index: u64) -> Person {
    let kind = kind(seed, index);
    let (first, last, display, stem) = names(kind, mix(seed, index, NAME));
    Person { kind, first, last, display, alias: format!("{stem}.{index}") }
}

/// The display name alone, for searches over all mailboxes.
pub(super) fn display(seed: u64, index: u64) -> &'static str {
    names(kind(seed, index), mix(seed, index, NAME)).2
}

fn names(kind: Kind, random: u64) -> (&'static str, &'static str, &'static str, &'static str) {
    let nameless = |choices: &'static [(&'static str, &'static str)]| {
        let (display, stem) = *pick(choices, random);
        ("", "", display, stem)
    };
    match kind {
        Kind::User => *pick(PEOPLE, random),
        Kind::Shared => nameless(TEAMS),
        Kind::Room => nameless(ROOMS),
    }
}

/// The index at the end of an alias or a name, if there is one: `taro.yamada.12`, `山田 太郎 12`.
pub(super) fn index_at_end(text: &str) -> Option<u64> {
    let digits = text.len() - text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    text[text.len() - digits..].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tenant_has_every_kind_and_every_nasty_name() {
        let people: Vec<Person> = (0..300).map(|index| person(1, index)).collect();
        let shared = people.iter().filter(|p| p.kind == Kind::Shared).count();
        let rooms = people.iter().filter(|p| p.kind == Kind::Room).count();
        assert!((70..=130).contains(&shared), "{shared} of 300 are shared");
        assert!((5..=50).contains(&rooms), "{rooms} of 300 are rooms");
        for nasty in ["山田", "محمد", "🚀", "O'Brien", "Núñez,", "\"Zo\"", "=SUM", "+1"] {
            assert!(people.iter().any(|p| p.display.contains(nasty)), "nobody is called {nasty}");
        }
        assert!(people.iter().all(|p| p.alias.is_ascii()));
    }

    #[test]
    fn a_name_leads_back_to_its_index() {
        assert_eq!(index_at_end(&person(1, 99_999).alias), Some(99_999));
        assert_eq!(index_at_end("nobody"), None);
        assert_eq!(index_at_end("x99999999999999999999999"), None);
    }
}
