--- Uploads: as they come, to a temporary file that is gone at the end.

local quoll = require "quoll"

local http = quoll.http
local upload = {}

--- Chunk by chunk, so that memory does not depend on the size.
local function store(chunks)
  local file = assert(quoll.fs.tempfile { unlinked = true })
  local start = quoll.now()
  for chunk in chunks do
    assert(file:write(chunk))
  end
  local size = file:size()
  file:close()
  return size, quoll.now() - start
end

--- POST /upload, a form with files: what has come, as JSON.
function upload.form(req)
  local parts, err = req:multipart()
  if not parts then
    return http.fail(415, err)
  end
  local files = {}
  for part in parts do
    if part.filename and part.filename ~= "" then
      local size, seconds = store(part:chunks())
      files[#files + 1] = { name = part.filename, type = part.type,
        size = size, seconds = seconds }
    end
  end
  return http.json { files = files }
end

--- PUT /upload/NAME, the file itself: `curl -T FILE URL/upload/`.
function upload.file(req)
  local size, seconds = store(req:chunks())
  return http.json({ name = req.params.name, size = size, seconds = seconds },
    201)
end

return upload
