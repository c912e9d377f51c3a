-- examples/ext/sqlite.c: who lets go of a connection, and when.
local extensions = require "spec.support.extensions"
local helper = require "spec.helper"
local run = require("spec.support.tasks").run
local quoll = require "quoll"

local ENDLESS = "with recursive n(x) as (select 1 union all select x + 1 "
    .. "from n) select max(x) from n"
local COUNT = "with recursive n(x) as (select 1 union all select x + 1 "
    .. "from n limit 1000) select x from n"

describe("a connection of examples/ext/sqlite", function()
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

    it("tells its queries that it is closed", function()
        run(function()
            local db = assert(sqlite.open(path))
            local rows = db:rows(COUNT)
            assert.equal(1, rows().x)
            assert.is_true(db:close())
            assert.same({ nil, "closed", "CLOSED" }, { db:query "select 1" })
            assert.same({ nil, "closed", "CLOSED" }, { db:close() })
            for _ = 2, 1000 do -- a query that was begun goes on
                rows()
            end
            assert.is_nil(rows())
        end, 20)
    end)

    it("is closed by its owner's end, also in the middle of a query",
        function()
            run(function()
                local db
                local owner = quoll.spawn(function()
                    db = assert(sqlite.open(path))
                    return db:query(ENDLESS)
                end)
                quoll.spawn(function()
                    while not db do
                        quoll.yield()
                    end
                end):wait()
                owner:cancel()
                owner:wait()
                assert.equal("OWNER_ENDED", (select(3, db:query "select 1")))
            end, 20)
        end)

    it("lets a query go on its way to be opened", function()
        run(function()
            for i = 1, 20 do
                local opening = quoll.spawn(sqlite.open, path)
                if i % 2 == 0 then
                    quoll.yield()
                end
                opening:cancel()
                opening:wait()
            end
        end, 20)
    end)

    it("releases its locks when an iterator ends early", function()
        run(function()
            local db = assert(sqlite.open(path))
            local other = assert(sqlite.open(path, { busy = 0 }))
            assert(db:query "create table t (x)")
            assert(db:query("insert into t " .. COUNT))
            local rows, query = db:rows "select x from t"
            assert.equal(1, rows().x)
            assert.equal("SQLITE_BUSY",
                (select(3, other:query "insert into t values (1)")))
            other.busy = helper.seconds(10)
            local writing = quoll.spawn(other.query, other,
                "insert into t values (1)")
            quoll.yield()
            query:close()
            assert.same({}, writing:wait())
            assert.has_error(function()
                for _ = 1, 64 do -- those that are here already, and more
                    rows()
                end
            end, "closed")
        end, 20)
    end)

    it("says who holds the lock, and can be cancelled while it waits",
        function()
            run(function()
                local db = assert(sqlite.open(path))
                local other = assert(sqlite.open(path, { busy = 0.02 }))
                assert(db:query "begin exclusive")
                assert.same({ nil, "database is locked", "SQLITE_BUSY" },
                    { other:query "create table t (x)" })
                other.busy = 1000
                assert.same({ nil, "timeout", "DEADLINE" }, { quoll.deadline(
                    0.02, other.query, other, "create table t (x)") })
                assert(db:query "rollback")
                assert.same({}, other:query "create table t (x)")
            end, 20)
        end)

    it("is taken by the collector, queries and all", function()
        run(function()
            for _ = 1, 5 do
                local db = assert(sqlite.open(path))
                local rows, query = db:rows(COUNT)
                db:disown()
                query:disown()
                rows()
            end
        end, 20)
    end)
end)
