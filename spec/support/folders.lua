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

-- What there is until nothing has come for a while, or the watch has ended.
function folders.events(w, quiet)
    local list = {}
    while true do
        local event, err = w:next(quiet or 0.1)
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

function folders.told(w, dir)
    local lines = {}
    for i, event in ipairs(folders.events(w)) do
        lines[i] = line(event, dir)
    end
    return lines
end

return folders
