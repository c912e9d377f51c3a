-- page.lua: runs the blocks of a document, one after the other, in a folder of
-- its own in which the clone's folders are to be found. In a task.
local helper = require "spec.helper"
local blocks = require "spec.support.docs.blocks"
local folder = require "spec.support.docs.folder"
local kinds = require "spec.support.docs.kinds"
local output = require "spec.support.docs.output"
local ports = require "spec.support.docs.ports"
local quoll = require "quoll"

local Page = {}
Page.__index = Page

local limit = helper.seconds(20)
local most = 2 ^ 20 -- bytes of a program's output

local function exists(program)
    return os.execute("PATH=$PATH:/usr/sbin command -v " .. program
        .. " >/dev/null") == 0
end

-- Starts a program in the page's folder. With its children it ends, at the
-- latest, with the page's task.
function Page:start(argv)
    return assert(quoll.process.exec(argv, {
        cwd = self.folder, setenv = folder.environment(self.folder),
        stdin = "null", stdout = "pipe", stderr = "stdout", setsid = true,
        grace = 2, timeout = limit,
    }))
end

-- To its end: what it has printed, and its status.
function Page:run(argv)
    local process = self:start(argv)
    local printed = process:communicate(nil, most)
    local _, reason, status, late = process:wait()
    process:kill("SIGKILL", { group = true })
    return printed or "", late and "no end" or reason == "exit" and status
        or reason .. " " .. tostring(status)
end

local function expect(printed, status, wanted)
    if status ~= wanted then
        error(("status %s\n%s"):format(status, printed), 0)
    end
end

-- The command for a block of Lua or the shell.
function Page:command(block, text)
    if block.language == "sh" then
        return { "bash", "-euo", "pipefail", "-c", text }
    end
    local name = block.ways.file or ("block%d.lua"):format(block.line)
    folder.write(self.folder .. "/" .. name, "io.stdout:setvbuf 'no' " .. text)
    return { "luajit", name }
end

-- By Ctrl-C, or SIGTERM: what a shell has put behind ignores the former.
local function stop(server)
    local signal = server.language == "lua" and "SIGINT" or "SIGTERM"
    server.process:kill(signal, { group = true })
    local ended, reason, status = server.process:wait(limit)
    server.process:kill("SIGKILL", { group = true }) -- who holds its pipe
    server.printed = server.reader:wait()
    if server.language == "lua" and not ended then
        error(("%s: the server ended with %s %s\n%s"):format(server.where,
            tostring(reason), tostring(status), server.printed), 0)
    end
end

-- Waits until somebody listens on its port.
local function await(server, port)
    local till = quoll.now() + limit
    repeat
        local conn = quoll.connect("127.0.0.1:" .. port, { timeout = 1 })
        if conn then
            return conn:close()
        end
        quoll.sleep(0.01)
    until quoll.now() > till or server.process:wait(0) ~= nil
    stop(server)
    error("nobody listens\n" .. server.printed, 0)
end

function Page:serve(block, text)
    local port = self.ports:of(block.ways.server)
    if self.servers[port] then
        stop(self.servers[port])
    end
    local process = self:start(self:command(block, text))
    local server = { process = process, where = block.where,
        language = block.language }
    server.reader = quoll.spawn(function()
        return process.stdout:receive "*a" or ""
    end)
    self.servers[port] = server
    await(server, port)
    return server
end

function Page:save(block, text)
    local name = block.ways.file
    self.files[name] = block
    folder.write(self.folder .. "/" .. name, text)
    if name:find "%.lua$" then
        assert(loadstring(text, "=" .. name))
    end
end

-- Has a file read by the program that it is for; the program, if it lacks.
function Page:read(name, block)
    local command, needed = kinds.reader(name)
    if not command then
        return nil
    end
    block.ran = true
    if not exists(needed) then
        return needed
    end
    local printed, status = self:run { "bash", "-c", command }
    expect(printed, status, 0)
end

-- What is not run is at least of its language.
function Page:look(block, text)
    block.ran = true
    if block.language == "lua" then
        assert(loadstring(text, "=" .. block.where))
    elseif block.language == "sh" then
        local printed, status = self:run { "bash", "-n", "-c", text }
        expect(printed, status, 0)
        if exists "shellcheck" then
            folder.write(self.folder .. "/look.sh", text)
            printed, status = self:run { "shellcheck", "-s", "bash",
                "-S", "error", "look.sh" }
            expect(printed, status, 0)
        end
    end
end

local languages = { lua = true, sh = true }

-- Marks the files that a text names as run, and those that they name.
function Page:uses(text)
    for name, block in pairs(self.files) do
        local stem = name:gsub("%.%w+$", "")
        if not block.ran and (text:find(name, 1, true)
            or text:find("[\"']" .. stem:gsub("%p", "%%%0") .. "[\"']"))
        then
            block.ran = true
            self:uses(block.text)
        end
    end
end

-- One block that is a program; returns what it has printed.
function Page:program(block, text)
    block.ran = true
    self:uses(text)
    if block.ways.server then
        return self:serve(block, text)
    end
    local printed, status = self:run(self:command(block, text))
    expect(printed, status, tonumber(block.ways.fails or 0))
    if block.language == "lua" then
        local why = output.lacks(text, printed)
        if why then
            error(why, 0)
        end
    end
    return { printed = printed }
end

-- Returns the program that a block lacks, if so.
function Page:block(block)
    local ways, text = block.ways, self.ports:exchange(block.text)
    local lacking = ways.needs and not exists(ways.needs)
    if lacking or ways.plain and helper.sanitized then
        block.ran, self.last = true, nil
        self:uses(text)
        return lacking and ways.needs or nil
    elseif ways["not run"] then
        return self:look(block, text)
    elseif ways.prints then
        block.ran = true
        if self.last then
            self.shown[#self.shown + 1] = { text = text, last = self.last,
                where = block.where }
        end
    elseif ways.file and not ways.server then
        return self:save(block, text)
    elseif languages[block.language] then
        self.last = nil
        if ways.file then
            self:save(block, text)
        end
        self.last = self:program(block, text)
    elseif block.language == "text" then
        block.ran = true
    end
    return nil
end

-- At the end servers are stopped, files that are for other programs are read by
-- these, and what was printed is looked at.
function Page:finish(problems, lacking)
    local function try(where, fn, ...)
        local ok, why = pcall(fn, ...)
        if not ok then
            problems[#problems + 1] = where .. ": " .. tostring(why)
        end
        return ok and why
    end
    for name, block in pairs(self.files) do
        lacking[#lacking + 1] = try(block.where, self.read, self, name, block)
            or nil
    end
    for _, server in pairs(self.servers) do
        try(server.where, stop, server)
    end
    for _, shown in ipairs(self.shown) do
        local why = output.differs(shown.text, shown.last.printed or "")
        problems[#problems + 1] = why and shown.where .. ": " .. why
    end
end

-- Runs a document, of this text if that is given: an array of what is wrong,
-- and the programs that it lacks.
local function run(path, text)
    local page = setmetatable({ folder = folder.new(), ports = ports.new(),
        files = {}, servers = {}, shown = {} }, Page)
    local problems, lacking = {}, {}
    local found = text and blocks.parse(text, path) or blocks.of(path)
    for _, block in ipairs(found) do
        local ok, why = pcall(page.block, page, block)
        if not ok then
            problems[#problems + 1] = block.where .. ": " .. tostring(why)
        elseif why then
            lacking[#lacking + 1] = why
        end
    end
    page:finish(problems, lacking)
    for _, block in ipairs(found) do
        if not block.ran then
            problems[#problems + 1] = block.where .. ": nobody runs this block"
        end
    end
    return problems, lacking
end

return { run = run }
