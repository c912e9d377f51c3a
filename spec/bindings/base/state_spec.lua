local helper = require "spec.helper"

describe("a state that closes", function()
    it("tells of tasks that are alive, in one line", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.spawn(print, 1)
            quoll.timer.after(60, print, 2)
        ]]
        assert.equal("", result.out)
        assert.equal("quoll: 2 tasks were alive when the script ended; "
            .. "quoll.run() waits for them\n", result.err)
        assert.equal(0, result.code)
    end)

    it("tells of one task that waits", function()
        local result = helper.script [[
            local quoll = require "quoll"
            quoll.spawn(function()
                quoll.open("LICENSE"):read "*l"
                quoll.sleep(60)
            end)
            quoll.sleep(0.005)
        ]]
        assert.equal("quoll: 1 task was alive when the script ended; "
            .. "quoll.run() waits for them\n", result.err)
    end)

    it("says nothing when no task is alive", function()
        local result = helper.script [[
            local quoll = require "quoll"
            file = quoll.open "LICENSE"
            quoll.run(function() quoll.sleep(0.001) end)
        ]]
        assert.equal("", result.err)
        assert.equal(0, result.code)
    end)

    it("refuses finalisers that run after its own", function()
        local result = helper.script [[
            local late = newproxy(true)
            local quoll
            getmetatable(late).__gc = function()
                print(pcall(quoll.now))
                print(pcall(quoll.stats))
                print(pcall(quoll.configure))
                print(pcall(quoll.log, "error", "x"))
                print(pcall(quoll.spawn, print))
                print(pcall(quoll.sleep, 0))
                print(pcall(quoll.connect, "127.0.0.1:1"))
                print(pcall(quoll.open, "LICENSE"))
                print(pcall(quoll.waitfd, 0, "r"))
            end
            quoll = require "quoll"
            quoll.run(function() quoll.sleep(0.001) end)
        ]]
        local lines = select(2, result.out:gsub("quoll is closed\n", ""))
        assert.equal(9, lines, result.out)
        assert.equal("", result.err)
        assert.equal(0, result.code)
    end)

    it("ends with reads under way", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local file = quoll.open("/proc/self/exe", "rd")
            for i = 1, 20 do
                quoll.spawn(file.pread, file, 65536, i)
            end
            quoll.yield()
        ]]
        assert.is_nil(result.signal)
        assert.equal(0, result.code)
        assert.is_false(result.timeout)
    end)

    it("refuses to wait in a last finaliser", function()
        local result = helper.script [[
            local proxy = newproxy(true)
            local quoll = require "quoll"
            getmetatable(proxy).__gc = function()
                print((pcall(quoll.sleep, 0.001)))
                print(pcall(quoll.spawn, print))
            end
            quoll.sleep(0.001)
        ]]
        assert.is_nil(result.signal)
        assert.is_false(result.timeout)
        assert.matches("quoll is closed", result.out)
    end)
end)

describe("a state's runtime", function()
    it("outlives the coroutine that loaded it", function()
        local result = helper.script [[
            local quoll
            coroutine.wrap(function() quoll = require "quoll" end)()
            for _ = 1, 3 do
                collectgarbage()
            end
            local task = quoll.spawn(print)
            task:cancel()
            for _ = 1, 100 do
                coroutine.wrap(function() end)()
            end
            quoll.spawn(print, "one"):wait()
            quoll.spawn(error, "two", 0)
            quoll.run()
        ]]
        assert.equal("one\n", result.out)
        assert.is_nil(result.signal)
        assert.matches("failed: two", result.err)
    end)

    it("is the same for a module loaded anew", function()
        local result = helper.script [[
            local quoll = require "quoll"
            local core = require "quoll.core"
            local task = quoll.spawn(function() return "same" end)
            for name in pairs(package.loaded) do
                if name:find "^quoll" then
                    package.loaded[name] = nil
                end
            end
            local again = require "quoll"
            print(core == require "quoll.core", again ~= quoll)
            again.run()
            print(task:wait())
        ]]
        assert.equal("true\ttrue\nsame\n", result.out)
    end)

    it("makes no kernel object before its first use", function()
        local result = helper.script [[
            local function count()
                local n = 0
                for fd = 0, 63 do
                    local file = io.open("/proc/self/fdinfo/" .. fd)
                    if file then
                        n = n + 1
                        file:close()
                    end
                end
                return n
            end
            local before = count()
            local quoll = require "quoll"
            quoll.spawn(print)
            quoll.now()
            print(count() == before)
            quoll.run()
            print(count() > before)
        ]]
        assert.equal("true\n\ntrue\n", result.out)
    end)
end)

describe("a loop that cannot be started", function()
    it("is a failure of what would have waited, with its errno", function()
        local result = helper.script [[
            local ffi = require "ffi"
            local sockets = require "spec.support.sockets"
            local quoll = require "quoll"
            local free = ffi.C.dup(0)
            ffi.C.close(free)
            quoll.configure { log_level = "emerg" }
            local function try(name, ...)
                print(name, select(2, pcall(...)))
            end
            sockets.limit_descriptors(free)
            try("listen", quoll.listen, "127.0.0.1:0")
            try("connect", quoll.connect, "127.0.0.1:1")
            try("waitfd", quoll.waitfd, 0, "r")
            try("sleep", quoll.sleep, 0.001)
            try("open", quoll.open, "/x")
            try("stat", quoll.fs.stat, "/x")
            try("watch", quoll.fs.watch, "/x")
            try("serve", quoll.serve, "127.0.0.1:0", print)
            sockets.limit_descriptors(100)
            try("sleep", quoll.sleep, 0.001)
        ]]
        local words = "nil\ttoo many open files\tEMFILE\n"
        local path = "nil\t/x: too many open files\tEMFILE\n"
        assert.equal("listen\t" .. words .. "connect\t" .. words
            .. "waitfd\t" .. words .. "sleep\t" .. words
            .. "open\t" .. path .. "stat\t" .. path
            .. "watch\tnil\t/x: too many open files or watches "
            .. "(fs.inotify.max_user_instances)\tEMFILE\n"
            .. "serve\tcannot listen on 127.0.0.1:0: too many open files\n"
            .. "sleep\tnil\n",
            (result.out:gsub("\t[^\t]+:%d+: cannot", "\tcannot")),
            result.err)
        assert.equal(0, result.code)
    end)
end)
