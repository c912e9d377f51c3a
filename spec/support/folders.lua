-- folders.lua: for specs of quoll.fs.watch: a folder, what a shell does in it,
-- and what a watch tells of it as short lines.
local folders = {}

function folders.make()
    local dir = os.tmpname()
    os.remove(dir)
    assert(os.execute("mkdir " .. dir) == 0)
    return dir
end

function folders.remove(dir)
    os.execute("rm -rf " .. dir)
end

function folders.sh(dir, command)
    assert(os.execute("cd " .. dir .. " && { " .. command .. "; }") == 0)
end

local PATIENCE = 10 * (os.getenv "QUOLL_TEST_PATIENCE" or 1) -- s
local QUIET = 0.1 -- s

-- n events, however long they take, and what there is besides until nothing has
-- come for a while, or the watch has ended.
function folders.events(w, n)
    local list = {}
    while true do
        local event, err = w:next(#list < (n or 0) and PATIENCE or QUIET)
        if not event then
            assert(err == "timeout" or err == "closed", err)
            return list
        end
        list[#list + 1] = event
    end
end

-- "create sub/a", "delete sub/" (a folder), "rename a b".
local function line(event, dir)
    local function shown(path)
        local rest = path:sub(#dir + 2)
        return rest .. (event.directory and "/" or "")
    end
    if event.from then
        return ("%s %s %s"):format(event.type, shown(event.from),
            shown(event.path))
    end
    return event.type .. " " .. shown(event.path)
end

function folders.told(w, dir, n)
    local lines = {}
    for i, event in ipairs(folders.events(w, n)) do
        lines[i] = line(event, dir)
    end
    return lines
end

return folders
