-- disk.lua: files and commands, for the makers of the documents.
local disk = {}

function disk.read(path)
    local file = assert(io.open(path))
    local text = file:read "*a"
    file:close()
    return text
end

function disk.exists(path)
    local file = io.open(path)
    return file ~= nil and file:close()
end

function disk.quote(text)
    return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The output's lines; a command that fails raises.
function disk.lines(command)
    local found = {}
    local pipe = assert(io.popen(command .. "; echo $?"))
    for line in pipe:lines() do
        found[#found + 1] = line
    end
    pipe:close()
    local status = table.remove(found)
    if status ~= "0" then
        error(("%s: status %s\n%s"):format(command, status,
            table.concat(found, "\n")), 0)
    end
    return found
end

function disk.run(command)
    return table.concat(disk.lines(command), "\n")
end

local made = {}

-- Writes a file, and makes the folders that lead to it.
function disk.write(path, text)
    local folder = path:match "^(.*)/"
    if folder and not made[folder] then
        disk.run("mkdir -p " .. disk.quote(folder))
        made[folder] = true
    end
    local file = assert(io.open(path, "w"))
    assert(file:write(text))
    file:close()
end

-- "docs/guide/x.md" and "../API.md#run" -> "docs/API.md", "run"
function disk.resolve(from, link)
    local path, anchor = link:match "^([^#]*)#?(.*)$"
    if path == "" then
        return from, anchor
    end
    local parts = {}
    local folder = path:sub(1, 1) == "/" and "" or from:match "^(.*/)" or ""
    for part in (folder .. path):gmatch "[^/]+" do
        if part == ".." then
            table.remove(parts)
        elseif part ~= "." then
            parts[#parts + 1] = part
        end
    end
    return table.concat(parts, "/"), anchor
end

-- How a page at from names a page at to: "../reference/quoll.html".
function disk.relative(from, to)
    local up = from:gsub("[^/]*$", ""):gsub("[^/]+/", "../")
    return up .. to
end

return disk
