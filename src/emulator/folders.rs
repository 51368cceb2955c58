//! Cultures, and the names that they give the folders that every mailbox has.

use super::directory::Directory;
use super::mailbox::Tenant;
use super::random::mix;

/// What belongs to one language.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Culture {
    pub(super) name: &'static str,
    pub(super) time_zone: &'static str,
    /// The first is the default.
    pub(super) dates: &'static [&'static str],
    pub(super) times: &'static [&'static str],
    folders: [&'static str; 8],
}

/// `FolderType` of the folders, in the order of [`Culture::folders`].
pub(super) const TYPES: [&str; 8] =
    ["Inbox", "Calendar", "Contacts", "Drafts", "SentItems", "DeletedItems", "JunkEmail", "Tasks"];

/// The calendar among [`TYPES`].
pub(super) const CALENDAR: usize = 1;

pub(super) const CULTURES: [Culture; 6] = [
    Culture {
        name: "en-US",
        time_zone: "Pacific Standard Time",
        dates: &["M/d/yyyy", "M/d/yy", "MM/dd/yy", "MM/dd/yyyy", "yy/MM/dd", "yyyy-MM-dd", "dd-MMM-yy"],
        times: &["h:mm tt", "hh:mm tt", "H:mm", "HH:mm"],
        folders: [
            "Inbox",
            "Calendar",
            "Contacts",
            "Drafts",
            "Sent Items",
            "Deleted Items",
            "Junk Email",
            "Tasks",
        ],
    },
    Culture {
        name: "ja-JP",
        time_zone: "Tokyo Standard Time",
        dates: &["yyyy/MM/dd", "yy/MM/dd", "yy/M/d", "yyyy/M/d", "yyyy-MM-dd"],
        times: &["H:mm", "HH:mm", "tt h:mm", "tt hh:mm"],
        folders: [
            "受信トレイ",
            "予定表",
            "連絡先",
            "下書き",
            "送信済みアイテム",
            "削除済みアイテム",
            "迷惑メール",
            "タスク",
        ],
    },
    Culture {
        name: "de-DE",
        time_zone: "W. Europe Standard Time",
        dates: &["dd.MM.yyyy", "dd.MM.yy", "d.M.yyyy", "d.M.yy", "yyyy-MM-dd"],
        times: &["HH:mm", "H:mm"],
        folders: [
            "Posteingang",
            "Kalender",
            "Kontakte",
            "Entwürfe",
            "Gesendete Elemente",
            "Gelöschte Elemente",
            "Junk-E-Mail",
            "Aufgaben",
        ],
    },
    Culture {
        name: "ar-SA",
        time_zone: "Arab Standard Time",
        dates: &["dd/MM/yy", "dd/MM/yyyy", "yyyy-MM-dd"],
        times: &["hh:mm tt", "h:mm tt", "HH:mm"],
        folders: [
            "علبة الوارد",
            "التقويم",
            "جهات الاتصال",
            "المسودات",
            "العناصر المرسلة",
            "العناصر المحذوفة",
            "البريد الإلكتروني غير الهام",
            "المهام",
        ],
    },
    Culture {
        name: "fr-FR",
        time_zone: "Romance Standard Time",
        dates: &["dd/MM/yyyy", "dd/MM/yy", "dd.MM.yy", "dd-MM-yy", "yyyy-MM-dd"],
        times: &["HH:mm", "H:mm"],
        folders: [
            "Boîte de réception",
            "Calendrier",
            "Contacts",
            "Brouillons",
            "Éléments envoyés",
            "Éléments supprimés",
            "Courrier indésirable",
            "Tâches",
        ],
    },
    Culture {
        name: "en-GB",
        time_zone: "GMT Standard Time",
        dates: &["dd/MM/yyyy", "dd/MM/yy", "d/M/yy", "d.M.yy", "yyyy-MM-dd"],
        times: &["HH:mm", "H:mm", "hh:mm tt", "h:mm tt"],
        folders: [
            "Inbox",
            "Calendar",
            "Contacts",
            "Drafts",
            "Sent Items",
            "Deleted Items",
            "Junk Email",
            "Tasks",
        ],
    },
];

const CULTURE: u64 = 25;

/// The culture of this name, in any case.
pub(super) fn culture(name: &str) -> Option<&'static Culture> {
    CULTURES.iter().find(|culture| culture.name.eq_ignore_ascii_case(name))
}

/// Most mailboxes are English, some are not.
pub(super) fn made_up(tenant: &Tenant, index: u64) -> &'static Culture {
    match mix(tenant.seed, index, CULTURE) % 8 {
        0 => &CULTURES[1],
        1 => &CULTURES[2],
        2 => &CULTURES[3],
        _ => &CULTURES[0],
    }
}

impl Culture {
    /// The folder's name.
    pub(super) fn folder(&self, number: usize) -> &'static str {
        self.folders[number]
    }

    /// The number of the folder of this name.
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.folders.iter().position(|own| own.to_lowercase() == name.to_lowercase())
    }
}

impl Directory {
    /// The culture in which the folders of a mailbox are named.
    pub(super) fn folder_culture(&self, index: u64) -> &'static Culture {
        let changed = self.folder_cultures.get(&index).and_then(|name| culture(name));
        changed.unwrap_or_else(|| made_up(&self.tenant, index))
    }
}
