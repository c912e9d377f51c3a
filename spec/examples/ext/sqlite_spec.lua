-- examples/ext/sqlite.c, sqlite_call.c and sqlite.lua
local extensions = require "spec.support.extensions"
local helper = require "spec.helper"
local run = require("spec.support.tasks").run
local quoll = require "quoll"

-- Runs until it is stopped.
local ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 "
    .. "from n) select max(x) from n"
local COUNT = "with recursive n(x) as (select 1 union all select x + 1 "
    .. "from n limit :k) select x from n"

describe("examples/ext/sqlite", function()
    local sqlite = extensions.load "sqlite"
    if not sqlite then
        return
    end
    helper.gates()

    local path

    before_each(function()
        path = os.tmpname()
    end)

    after_each(function()
        os.remove(path)
    end)

    -- fn(db) in a task.
    local function with(fn, opts)
        return function()
            run(function()
                fn(assert(sqlite.open(path, opts)))
            end, 20)
        end
    end

    it("maps values, there and back", with(function(db)
        assert.same({}, db:query "create table t (v)")
        local bytes = "a\0\255b"
        for _, case in ipairs { { 7, "integer", 7 }, { -2.5, "real", -2.5 },
            { 2 ^ 53, "integer", 2 ^ 53 }, { 2 ^ 80, "real", 2 ^ 80 },
            { "grün\0x", "text", "grün\0x" }, { "", "text", "" },
            { sqlite.blob(bytes), "blob", bytes },
            { sqlite.blob "", "blob", "" }, { true, "integer", 1 },
            { false, "integer", 0 }, { nil, "null", nil } } do
            local rows = assert(db:query("insert into t values (?) "
                .. "returning v, typeof(v) as type", case[1]))
            assert.same({ { v = case[3], type = case[2] } }, rows)
        end
        assert.same({ { v = "9007199254740993" } },
            db:query "select 9007199254740993 as v")
    end))

    it("binds by position and by name", with(function(db)
        assert.same({ { a = 1, c = 3 } },
            db:query("select ? as a, ? as b, ? as c", 1, nil, 3))
        assert.same({ { a = "x", b = "x", c = 2 } }, db:query(
            "select :one as a, :one as b, :two as c", { one = "x", two = 2 }))
        assert.same({ { a = "\0" } }, db:query("select ? as a",
            sqlite.blob "\0"))
        assert.same({ nil, "column index out of range", "SQLITE_RANGE" },
            { db:query("select ?", 1, 2) })
        assert.same({ nil, "column index out of range", "SQLITE_RANGE" },
            { db:query("select :a", { b = 1 }) })
        assert.has_error(function() db:query("select ?", print) end,
            "no parameter: function")
    end))

    it("wants a value for each parameter", with(function(db)
        local none = { nil, "a parameter has no value", "SQLITE_RANGE" }
        assert.same(none, { db:query "select ?" })
        assert.same(none, { db:query("select ?, ?", 1) })
        assert.same(none, { db:query("select :a, :b", { b = 1 }) })
        assert.has_error(function() db:rows "select ?" () end, none[2])
        assert.same({ { c = 1 } }, db:query(
            "select ? is null and ? is null as c", sqlite.null, nil))
        assert.same({ { c = 1 } }, db:query("select :a is null as c",
            { a = sqlite.null }))
    end))

    it("says what is wrong", with(function(db)
        assert.same({ nil, 'near "selec": syntax error', "SQLITE_ERROR" },
            { db:query "selec" })
        assert.same({ nil, "more than one statement", "SQLITE_MISUSE" },
            { db:query "select 1; select 2" })
        assert.has_error(function() db:query "select 1\0; select 2" end,
            "bad SQL: it has a zero byte")
        assert(db:query "create table t (v unique)")
        assert(db:query "insert into t values (1);\n")
        assert.same({ nil, "UNIQUE constraint failed: t.v",
            "SQLITE_CONSTRAINT" }, { db:query "insert into t values (1)" })
        assert.same({ nil, "attempt to write a readonly database",
            "SQLITE_READONLY" }, { assert(sqlite.open(path,
            { read_only = true })):query "delete from t" })
        assert.same({ nil, "unable to open database file",
            "SQLITE_CANTOPEN" }, { sqlite.open "/nowhere/at/all" })
        assert.same({ nil, "file is not a database", "SQLITE_NOTADB" },
            { sqlite.open "README.md" })
    end))

    it("iterates over rows, and other queries go in between", with(function(db)
        assert(db:query "create table t (x)")
        local sum = 0
        for row in db:rows(COUNT, { k = 1000 }) do
            sum = sum + row.x
            if row.x % 100 == 0 then
                assert(db:query("insert into t values (?)", row.x))
            end
        end
        assert.equal(500500, sum)
        assert.same({ { n = 10, s = 5500 } },
            db:query "select count(*) as n, sum(x) as s from t")
        for row in db:rows "select 1 as x where 0" do
            error(row.x)
        end
        assert.has_error(function() db:rows "selec" () end,
            'near "selec": syntax error')
    end))

    it("serves many tasks, one query at a time", with(function(db)
        local tasks = {}
        for i = 1, 20 do
            tasks[i] = quoll.spawn(function()
                return assert(db:query(COUNT, { k = i * 10 }))
            end)
        end
        for i, task in ipairs(tasks) do
            assert.equal(i * 10, #task:wait())
        end
    end))

    it("stops a query whose time is over, and goes on", with(function(db)
        for _ = 1, 3 do
            assert.same({ nil, "timeout", "DEADLINE" },
                { quoll.deadline(0.01, db.query, db, ENDLESS) })
            assert.same({ { x = 1 } }, db:query "select 1 as x")
        end
        local tasks = {} -- the later ones wait, or have not begun
        for i = 1, 10 do
            tasks[i] = quoll.spawn(db.query, db, ENDLESS)
        end
        quoll.yield()
        for _, task in ipairs(tasks) do
            task:cancel()
        end
        for _, task in ipairs(tasks) do
            assert.equal("cancelled", (select(2, task:wait())))
        end
        assert.same({ { x = 2 } }, db:query "select 2 as x")
    end))

    it("tells quoll.tasks() what is asked", with(function(db)
        local sql = ENDLESS:gsub(" ", "\n", 1)
        local task = quoll.spawn(db.query, db, sql)
        local waits = ""
        repeat
            quoll.yield()
            for _, info in ipairs(quoll.tasks()) do
                waits = info.id == task:id() and info.waits or waits
            end
        until waits:find("sqlite", 1, true)
        task:cancel()
        assert.equal("sqlite: with recursive n(x) as (select 1 union all "
            .. "select x + 1 from...", waits)
    end))
end)
