local helper = require "spec.helper"
local tasks = require "spec.support.tasks"
local files = require "spec.support.files"

local head = [[
    local inject = require "spec.support.scripted"
    local quoll = require "quoll"
    local path = arg[1]
    local function content()
        return io.open(path):read "*a"
    end
    local function calls(name)
        return tonumber(inject.ql_inject_calls(name))
    end
]]

-- What a script prints whose loop has scripted system calls.
local function printed(source, path)
    local own = path or tasks.file("0123456789")
    local result = helper.script(head .. source, { own })
    os.remove(own)
    assert.equal(0, result.code, result.err)
    return (result.out:gsub(own:gsub("%p", "%%%0"), "PATH")), result.err
end

describe("a write that fails", function()
    for name, err in pairs { ENOSPC = 28, EDQUOT = 122, EIO = 5, EFBIG = 27 } do
        it("with " .. name .. " says so; the position tells how much is there",
            function()
                local source = ([[
                    quoll.run(function()
                        local file = quoll.open(path, "r+")
                        file:seek("set", 2)
                        inject.ql_inject_fail("pwritev2", -1, 1, 1, 95)
                        inject.ql_inject_cut("pwritev2", -1, 2, 2, 3)
                        inject.ql_inject_fail("pwritev2", -1, 3, 3, ERR)
                        local ok, err, code = file:write("abcdef")
                        print(ok, err:find(path .. ": ", 1, true), code)
                        print(file:seek())
                        print(file:write("X") == file, content())
                    end)
                ]]):gsub("ERR", err)
                assert.equal("nil\t1\t" .. name .. "\n5\n"
                    .. "true\t01abcX6789\n", (printed(source)))
            end)
    end

    it("with EIO at the disk is told by sync, once", function()
        assert.equal("nil\tPATH: input/output error\tEIO\ntrue\n"
            .. "nil\tPATH: input/output error\tEIO\n", (printed [[
                quoll.run(function()
                    local file = quoll.open(path, "r+")
                    file:write("x")
                    inject.ql_inject_aio_res(1, -5)
                    print(file:sync())
                    print(file:sync())
                    inject.ql_inject_fail("io_submit", -1, 1, 1, 22)
                    inject.ql_inject_fail("fdatasync", -1, 1, 1, 5)
                    print(file:sync { data = true })
                end)
            ]]))
    end)

    it("for want of memory says so", function()
        assert.equal("nil\tENOMEM\ntrue\ntrue\n", (printed [[
            quoll.run(function()
                local file = quoll.open(path, "r+")
                inject.ql_inject_fail("pwritev2", -1, 1, 1, 95)
                inject.ql_inject_fail("malloc", -1, 1, 1, 12)
                local ok, _, code = file:write("x")
                print(ok, code)
                print(file:write("yes") == file)
                print(content() == "yes3456789")
            end)
        ]]))
    end)
end)

describe("a write that need not wait", function()
    it("asks no thread, until it would have to wait", function()
        assert.equal("0\t3\n1\t6\n01abc6x789\n", (printed [[
            quoll.run(function()
                local file = quoll.open(path, "r+")
                file:seek("set", 2)
                inject.ql_inject_result("pwritev2", -1, 1, 1, 3)
                local jobs = quoll.stats().pool.jobs
                file:write("abc")
                print(quoll.stats().pool.jobs - jobs, calls "pwritev2" * 3)
                inject.ql_inject_clear()
                inject.ql_inject_fail("pwritev2", -1, 1, 1, 11)
                file:write("6x")
                print(quoll.stats().pool.jobs - jobs, file:seek() - 1)
                file:pwrite("abc", 2)
                print(content())
            end)
        ]]))
    end)
end)

describe("a write under way", function()
    local begin = [[
        local file = quoll.open(path, "r+")
        inject.ql_inject_fail("pwritev2", -1, 1, 1, 95)
        inject.ql_inject_delay("pwritev2", -1, 2, 2, 100000)
        local write = quoll.spawn(file.write, file, "abc")
        while calls "pwritev2" < 2 do
            quoll.sleep(0.001)
        end
    ]]

    it("goes on when it is cancelled, and a later one comes later", function()
        assert.equal("nil\tcancelled\nnil\tbusy writing\tBUSY\ntrue\t5\n"
            .. "abcxy56789\n", (printed("quoll.run(function()" .. begin .. [[
                write:cancel()
                print((write:wait()), (select(2, write:wait())))
                print(file:seek("set", 0))
                print(file:write("xy") == file, file:seek())
                print(content())
            end)]])))
    end)

    it("is waited for by a read, and by a write that is cancelled too",
        function()
            assert.equal("34\n", (printed("quoll.run(function()" .. begin .. [[
                write:cancel()
                local second = quoll.spawn(file.write, file, "never")
                quoll.sleep(0.001)
                second:cancel()
                second:wait()
                print(file:read(2))
            end)]])))
        end)

    for name, ending in pairs { ["the script's end"] = "",
        ["lua_close"] = "os.exit(0, true)" } do
        it("is not lost at " .. name, function()
            local path = tasks.file("0123456789")
            local result = helper.script(head .. "quoll.run(function()"
                .. begin:gsub("quoll.spawn%(", "quoll.spawn(") .. [[
                write:detach()
                io.stdout:write("begun")
                ]] .. ending .. [[
            end)]], { path })
            assert.matches("begun", result.out)
            local file = assert(io.open(path))
            local text = file:read "*a"
            file:close()
            os.remove(path)
            assert.equal("abc3456789", text)
        end)
    end
end)

describe("a full file system", function()
    files.mounting(it, pending)("takes a part, says ENOSPC and goes on",
        helper.forked(function()
            files.on_tmpfs(function(dir)
                local result = helper.script([[
                    local quoll = require "quoll"
                    local dir = arg[1]
                    assert(os.execute("mount -t tmpfs -o size=1m none " .. dir)
                        == 0)
                    local piece = ("x"):rep(300000)
                    quoll.run(function()
                        local file = quoll.open(dir .. "/file", "w+")
                        local ok, err, code
                        repeat
                            ok, err, code = file:write(piece)
                        until not ok
                        print(err == dir .. "/file: no space left on device",
                            code)
                        print(file:seek() == file:size(),
                            file:size() == 1048576)
                        print(file:sync(), file:truncate(10))
                        file:seek("end")
                        print(file:write("more") == file, file:size())
                    end)
                    os.execute("umount " .. dir)
                ]], { dir })
                assert.equal("", result.err)
                assert.equal("true\tENOSPC\ntrue\ttrue\ntrue\ttrue\n"
                    .. "true\t14\n", result.out)
            end)
        end, 20))
end)
