// What Next.js does not prefix with the base path by itself.

export const basePath = process.env.NEXT_PUBLIC_BASE_PATH ?? "";
export const authPath = `${basePath}/api/auth`;
