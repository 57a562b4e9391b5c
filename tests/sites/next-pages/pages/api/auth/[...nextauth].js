import NextAuth from "next-auth";

import { options } from "../../../auth";

export default NextAuth(options);
