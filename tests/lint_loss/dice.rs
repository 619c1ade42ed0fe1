//! Chance, the same each time.

/// Numbers that follow from a seed.
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x1234_5678_9abc_def1)
    }

    /// A number below another.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }

    pub(crate) const fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    pub(crate) fn one(&mut self, words: &[&'static str]) -> &'static str {
        let at = self.below(words.len() as u64);
        words[usize::try_from(at).unwrap()]
    }

    /// What stands in a `CREATE TABLE`.
    pub(crate) fn columns(&mut self) -> &'static str {
        self.one(&[
            "(id INTEGER PRIMARY KEY, email TEXT, kind TEXT)",
            "(id INTEGER PRIMARY KEY, email TEXT, kind TEXT)",
            "(id INTEGER PRIMARY KEY, email TEXT, kind TEXT, more TEXT DEFAULT '')",
            "(kind TEXT, id INTEGER PRIMARY KEY, email TEXT)",
            "(id INTEGER PRIMARY KEY, email TEXT)",
            "(id INTEGER PRIMARY KEY, email TEXT, kind TEXT UNIQUE ON CONFLICT IGNORE)",
            "(id INTEGER PRIMARY KEY, email TEXT, kind TEXT, UNIQUE (kind) ON CONFLICT REPLACE)",
            "(id INTEGER PRIMARY KEY, email TEXT, kind INTEGER UNIQUE)",
        ])
    }

    /// Rows of one table that go into another.
    pub(crate) fn insert(&mut self, to: &str, from: &str) -> String {
        if self.once_in(2) {
            return format!(
                "INSERT INTO {to} (id, email, kind) SELECT id, email, kind FROM {from}"
            );
        }
        let (columns, values) = match self.below(9) {
            0 => ("", "*"),
            1 => ("(id, email, kind)", "id, kind, email"),
            2 => (
                "(id, email, kind)",
                "id, coalesce(email, 'x') AS email, ifnull(kind, '')",
            ),
            3 => ("(id, email, kind)", "id, 'x' AS email, kind"),
            4 => ("(id, email)", "id, email"),
            5 => ("(id, email, kind)", "id, lower(email) || 'x', kind"),
            6 => ("(id, email, kind, more)", "id, email, kind, upper(email)"),
            7 => ("(email, kind)", "max(email), kind"),
            _ => ("(id, kind, email, more)", "id, kind, upper(email), email"),
        };
        let or = self.one(&["", "", "", "OR IGNORE ", "OR REPLACE "]);
        let tail = self.one(&[
            "",
            "",
            "",
            "",
            " WHERE id > 1",
            " LIMIT 1",
            " WHERE true ON CONFLICT DO NOTHING",
        ]);
        format!("INSERT {or}INTO {to} {columns} SELECT {values} FROM {from}{tail}")
    }
}
